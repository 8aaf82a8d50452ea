"""The file in which refused answers are repaired: JSONL, one letter a line, its `payload` to be set right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from deploy.replay.letters import Refused
from deploy.up.failure import CANNOT_START, Failure


class Line(Struct, frozen=True):
    """`payload` is the answer as an object, or as text where it is no JSON object. Only it and `message` are read."""

    message: str
    payload: Raw
    reason: str = ""
    detail: str = ""


def write_repairs(file: Path, refused: Mapping[str, Refused]) -> None:
    """Export what still cannot be read. Raises Failure."""
    try:
        with file.open("wb") as out:
            for name, one in refused.items():
                line = Line(name, _shown(one.letter.payload), one.why.reason, one.why.detail)
                out.write(msgspec.json.encode(line) + b"\n")
    except OSError as error:
        raise Failure(
            f"The refused answers cannot be written to {file}: {error.strerror}.", CANNOT_START
        ) from None


def read_repairs(file: Path) -> dict[str, bytes]:
    """The payloads by the message they are to replace. Raises Failure."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}.", CANNOT_START) from None
    repaired: dict[str, bytes] = {}
    for number, text in enumerate(lines, 1):
        if text.strip():
            line = _line(file, number, text)
            repaired[line.message] = _payload(line.payload)
    return repaired


def _line(file: Path, number: int, text: bytes) -> Line:
    try:
        return msgspec.json.decode(text, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Failure(
            f"{file}, line {number} is not a line of an export: a JSON object with `message` and `payload` on one "
            "line. Nothing was replayed.",
            CANNOT_START,
        ) from None


def _shown(payload: str) -> Raw:
    try:
        msgspec.json.decode(payload, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return Raw(msgspec.json.encode(payload))
    return Raw(msgspec.json.encode(msgspec.json.decode(payload)))


def _payload(raw: Raw) -> bytes:
    text = bytes(raw)
    return msgspec.json.decode(text, type=str).encode() if text.startswith(b'"') else text
