"""One SQL text as the gateway sees it: its first keyword, the rows an INSERT carries, its output format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.embedded.clickhouse.errors import ClickHouseError

READ_VERBS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"})

_TOKEN = re.compile(
    rb"(?P<skip>\s+|--[^\n]*|#[! ][^\n]*|/\*.*?\*/)"
    rb"|(?P<quoted>'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\")"
    rb"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    rb"|(?P<mark>.)",
    re.DOTALL,
)
_NAME_FOLLOWS = (b"INTO", b"TABLE", b"FUNCTION", b".")
_NO_ROWS_FOLLOW = (b"SELECT", b"WITH", b"FROM", b"WATCH")
_ROWS = re.compile(rb"[ \t\f]*(?:\r?\n)?")
_OUTPUT = re.compile(r"\bFORMAT\s+[`\"]?(\w+)[`\"]?\s*(?:SETTINGS\b[^()]*)?;?\s*$", re.IGNORECASE)
_STATEFUL = re.compile(
    r"(?:SET|USE|(?:CREATE|REPLACE)(?:\s+OR\s+REPLACE)?\s+TEMP(?:ORARY)?)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Statement:
    """`rows` is None unless the statement is an INSERT that brings its rows along."""

    sql: str
    verb: str
    rows: bytes | None = None
    rows_format: str = ""

    @property
    def reads(self) -> bool:
        return self.verb in READ_VERBS

    @property
    def makes_state(self) -> bool:
        """Whether a session must keep its handle for what this statement leaves behind."""
        return _STATEFUL.match(self.sql.lstrip()) is not None

    @property
    def output_format(self) -> str:
        found = _OUTPUT.search(re.sub(r"--[^\n]*|/\*.*?\*/", " ", self.sql, flags=re.DOTALL))
        return found.group(1) if found else ""


def _tokens(text: bytes) -> Iterator[re.Match[bytes]]:
    return (token for token in _TOKEN.finditer(text) if token.lastgroup != "skip")


def parse(text: bytes) -> Statement:
    first = next(_tokens(text), None)
    if first is None:
        raise ClickHouseError(62, "The query is empty.")
    if first.group() == b"(":  # (SELECT 1) UNION ALL (SELECT 2)
        first = next((token for token in _tokens(text) if token.group() != b"("), first)
    verb = first.group().upper().decode("utf-8", "replace")
    return _insert(text) if verb == "INSERT" else _plain(text, verb)


def _plain(text: bytes, verb: str) -> Statement:
    ended = False
    for token in _tokens(text):
        if ended and token.group() != b";":
            raise ClickHouseError(
                62, "Syntax error (Multi-statements are not allowed): send one query at a time."
            )
        ended = ended or token.group() == b";"
    return Statement(_decode(text), verb)


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
    return Statement(_decode(text), "INSERT")


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
