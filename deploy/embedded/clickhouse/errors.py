"""What went wrong, in ClickHouse's words: every refusal between request and engine becomes one of these."""

import re

NAMES = {
    27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    48: "NOT_IMPLEMENTED",
    62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT",
    115: "UNKNOWN_SETTING",
    117: "INCORRECT_DATA",
    164: "READONLY",
    194: "REQUIRED_PASSWORD",
    358: "INTO_OUTFILE_NOT_ALLOWED",
    372: "SESSION_NOT_FOUND",
    373: "SESSION_IS_LOCKED",
    512: "SET_NON_GRANTED_ROLE",
    516: "AUTHENTICATION_FAILED",
    1001: "STD_EXCEPTION",
}

# The server's own table of HTTP statuses; what is not listed is a 500.
STATUS = {
    "REQUIRED_PASSWORD": 401,
    "UNKNOWN_USER": 403,
    "WRONG_PASSWORD": 403,
    "AUTHENTICATION_FAILED": 403,
    "SET_NON_GRANTED_ROLE": 403,
    "TIMEOUT_EXCEEDED": 408,
    "QUERY_IS_TOO_LARGE": 413,
    "NOT_IMPLEMENTED": 501,
    "CANNOT_OPEN_FILE": 503,
    "SOCKET_TIMEOUT": 503,
}
_NOT_FOUND = re.compile(
    r"UNKNOWN_(TABLE|FUNCTION|IDENTIFIER|TYPE|STORAGE|DATABASE|DATABASE_ENGINE|SETTING|FORMAT|TYPE_OF_QUERY"
    r"|AGGREGATE_FUNCTION|DIRECTION_OF_SORTING)"
)
_BAD_REQUEST = re.compile(
    r"CANNOT_PARSE_\w+|SYNTAX_ERROR|INCORRECT_DATA|TYPE_MISMATCH|BAD_QUERY_PARAMETER|DUPLICATE_COLUMN|ILLEGAL_\w+"
    r"|TOO_(DEEP|BIG)_AST|UNKNOWN_(ELEMENT_IN_AST|TYPE_OF_AST_NODE)|UNEXPECTED_(AST_STRUCTURE|EXPRESSION)"
    r"|NUMBER_OF_ARGUMENTS_DOESNT_MATCH|BAD_ARGUMENTS|VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE|INVALID_JOIN_ON_EXPRESSION"
)

_PREFIX = re.compile(r"(?:Code: \d+\. DB::Exception: )+")
_TRAIL = re.compile(r"(?: \(version [^)]*\))?\.?(?: \(([A-Z][A-Z0-9_]+)\))(?: \(version [^)]*\))?\.?\s*$")


class ClickHouseError(Exception):
    """A code, one sentence, and the code's name."""

    def __init__(self, code: int, sentence: str, name: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.name = name or NAMES.get(code, "UNKNOWN_EXCEPTION")

    @property
    def status(self) -> int:
        if _NOT_FOUND.fullmatch(self.name):
            return 404
        return 400 if _BAD_REQUEST.fullmatch(self.name) else STATUS.get(self.name, 500)

    def text(self, version: str) -> str:
        return f"Code: {self.code}. DB::Exception: {self.sentence} ({self.name}) (version {version})\n"


def from_engine(message: str) -> ClickHouseError:
    """The engine repeats code, name and version at every level it passes: say each of them once."""
    found = re.search(r"Code: (\d+)\. DB::Exception: ", message)
    if found is None:
        return ClickHouseError(1001, message.strip() or "The engine failed without a message.")
    rest, name = _PREFIX.sub("", message[found.start() :]), ""
    while trail := _TRAIL.search(rest):
        rest, name = rest[: trail.start()], name or trail.group(1)
    return ClickHouseError(int(found.group(1)), rest.strip(), name)
