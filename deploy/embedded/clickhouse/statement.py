"""One SQL text as the gateway sees it: its first keyword, the rows an INSERT carries, its output format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from deploy.embedded.clickhouse.errors import ClickHouseError

READ_VERBS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"})
WRITE_VERBS = frozenset(
    ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "OPTIMIZE", "CREATE", "REPLACE", "ALTER", "DROP", "UNDROP")
    + ("RENAME", "EXCHANGE", "ATTACH", "DETACH", "MOVE", "BACKUP", "RESTORE", "GRANT", "REVOKE")
    + ("SYSTEM", "KILL")
)

_TOKEN = re.compile(
    rb"(?P<skip>\s+|--[^\n]*|#[! ][^\n]*|/\*.*?\*/)"
    rb"|(?P<quoted>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\")"
    rb"|(?P<word>[A-Za-z_][A-Za-z0-9_$]*)"
    rb"|(?P<mark>.)",
    re.DOTALL,
)
_NAME_FOLLOWS = (b"INTO", b"TABLE", b"FUNCTION", b".")
_NO_ROWS_FOLLOW = (b"SELECT", b"WITH", b"FROM", b"WATCH")
_TEMPORARY = {b"TEMPORARY", b"TEMP"}
_ROWS = re.compile(rb"[ \t\f]*(?:\r?\n)?")


@dataclass(frozen=True)
class Statement:
    """`rows` is None unless the statement is an INSERT that brings its rows along."""

    sql: str
    verb: str
    rows: bytes | None = None
    rows_format: str = ""
    output_format: str = ""
    makes_state: bool = False  # leaves something behind in its session

    @property
    def reads(self) -> bool:
        return self.verb in READ_VERBS

    @property
    def writes(self) -> bool:
        return self.verb in WRITE_VERBS


def _tokens(text: bytes) -> Iterator[re.Match[bytes]]:
    return (token for token in _TOKEN.finditer(text) if token.lastgroup != "skip")


def parse(text: bytes) -> Statement:
    opening = (token.group().upper() for token in _tokens(text) if token.group() != b"(")
    verb = next(opening, b"").decode("utf-8", "replace")
    if not verb:
        raise ClickHouseError(62, "The query is empty.")
    return _insert(text) if verb == "INSERT" else _plain(text, verb)


def _plain(text: bytes, verb: str) -> Statement:
    words = [token.group() for token in _tokens(text)]
    while words[-1:] == [b";"]:
        words.pop()
    upper = [word.upper() for word in words]
    if verb == "INSERT" and (b"INPUT", b"(") in pairwise(upper):
        raise ClickHouseError(
            48, "INSERT ... SELECT ... FROM input() is not supported: insert the rows directly."
        )
    if (b"INTO", b"OUTFILE") in pairwise(upper):
        raise ClickHouseError(358, "INTO OUTFILE is not allowed: the result is the answer.")
    if b";" in words:
        raise ClickHouseError(62, "Multi-statements are not allowed: send one query at a time.")
    if verb == "WITH" and b"INSERT" in upper:
        verb = "INSERT"
    makes_state = verb in ("SET", "USE") or (verb in ("CREATE", "REPLACE") and _TEMPORARY & set(upper[1:4]))
    return Statement(
        _decode(text), verb, output_format=_output_format(words, upper), makes_state=bool(makes_state)
    )


def _output_format(words: list[bytes], upper: list[bytes]) -> str:
    """FORMAT and a name stand at the very end, or before SETTINGS."""
    ends = [len(words)] + [place for place, word in enumerate(upper) if word == b"SETTINGS"]
    for end in ends:
        if end >= 2 and upper[end - 2] == b"FORMAT":
            return words[end - 1].strip(b'`"').decode("utf-8", "replace")
    return ""


def _insert(text: bytes) -> Statement:
    depth, previous = 0, b""
    for token in _tokens(text):
        word = token.group().upper()
        depth += (word == b"(") - (word == b")")
        if depth == 0 and token.lastgroup == "word" and previous not in _NAME_FOLLOWS:
            if word in _NO_ROWS_FOLLOW:
                break
            if word == b"VALUES":
                return Statement(_decode(text[: token.start()]), "INSERT", text[token.end() :], "Values")
            if word == b"FORMAT":
                return _with_format(text, token)
        previous = word
    return _plain(text, "INSERT")


def _with_format(text: bytes, keyword: re.Match[bytes]) -> Statement:
    name = _TOKEN.match(text, keyword.end())
    while name is not None and name.lastgroup == "skip":
        name = _TOKEN.match(text, name.end())
    if name is None or name.lastgroup == "mark":
        raise ClickHouseError(62, "Syntax error: a format name must follow FORMAT.")
    gap = _ROWS.match(text, name.end())
    start = gap.end() if gap else name.end()
    head, rows_format = _decode(text[: keyword.start()]), name.group().strip(b'`"').decode()
    return Statement(head, "INSERT", text[start:], rows_format)


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise ClickHouseError(62, "Syntax error: the query text is not valid UTF-8.") from None
