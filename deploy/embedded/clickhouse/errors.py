"""What went wrong, in ClickHouse's words: every refusal between request and engine becomes one of these."""

import re

NAMES = {
    27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    48: "NOT_IMPLEMENTED",
    62: "SYNTAX_ERROR",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    117: "INCORRECT_DATA",
    159: "TIMEOUT_EXCEEDED",
    164: "READONLY",
    194: "REQUIRED_PASSWORD",
    372: "SESSION_NOT_FOUND",
    373: "SESSION_IS_LOCKED",
    512: "SET_NON_GRANTED_ROLE",
    516: "AUTHENTICATION_FAILED",
    1001: "STD_EXCEPTION",
}

# Code -> HTTP status, as the server's own table; what is not listed is a 500.
STATUS = (
    {194: 401, 159: 408, 223: 413, 48: 501, 76: 503, 209: 503}
    | dict.fromkeys((192, 193, 512, 516), 403)
    | dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 101, 106, 115, 152, 372), 404)
    | dict.fromkeys((6, 15, 25, 26, 27, 38, 41, 44, 53, 62, 69, 70, 72, 117, 126, 168, 182, 183), 400)
    | dict.fromkeys((36, 42, 43, 403, 441, 376, 427, 457, 675, 676), 400)
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
        return STATUS.get(self.code, 500)

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
