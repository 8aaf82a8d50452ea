"""Reads a CSV or JSONL file row by row, whatever its delimiter, with the line each row begins on."""

from __future__ import annotations

import csv
from itertools import chain
from pathlib import Path
from typing import TextIO

import msgspec
from msgspec import Struct

from deploy.up.failure import CANNOT_START, Failure

DELIMITERS = ",;\t|"
CELL_LIMIT = 1_048_576
JSON_SUFFIXES = {".jsonl", ".ndjson"}


class Row(Struct, frozen=True):
    """One row. `cells` is None where the row could not be read, and `problem` says why."""

    line: int
    cells: dict[str, str] | None
    problem: str = ""


class Table(Struct, frozen=True):
    """The names of the columns, and the rows."""

    header: list[str]
    rows: list[Row]


def read_table(file: Path) -> Table:
    """The whole file. Raises Failure when it cannot be read."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            return _jsonl(text) if file.suffix.lower() in JSON_SUFFIXES else _csv(text)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}.", CANNOT_START) from None
    except UnicodeDecodeError:
        raise Failure(
            f"{file} is not UTF-8. Save it as UTF-8, or use `iconv -t utf-8`.", CANNOT_START
        ) from None
    except csv.Error as error:
        raise Failure(f"{file} is not a CSV file: {error}.", CANNOT_START) from None


def _csv(text: TextIO) -> Table:
    csv.field_size_limit(CELL_LIMIT)
    first = text.readline()
    if not first.strip():
        raise Failure("The first line is empty; it must hold the names of the columns.", CANNOT_START)
    reader = csv.reader(chain([first], text), delimiter=delimiter_of(first))
    header = [name.strip() for name in next(reader)]
    if len(set(header)) != len(header):
        raise Failure("Two columns have the same name; give each its own.", CANNOT_START)
    rows = []
    line = reader.line_num + 1
    for cells in reader:
        if cells:
            rows.append(_csv_row(line, header, cells))
        line = reader.line_num + 1
    return Table(header, rows)


def _csv_row(line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        return Row(line, None, f"the row has {len(cells)} cells, the header {len(header)}")
    return Row(line, dict(zip(header, cells, strict=True)))


def delimiter_of(first_line: str) -> str:
    """The delimiter that makes most columns of the first line."""
    return max(DELIMITERS, key=lambda d: len(next(csv.reader([first_line], delimiter=d), [])))


def _jsonl(text: TextIO) -> Table:
    rows = [_json_row(number, line) for number, line in enumerate(text, 1) if line.strip()]
    header = dict.fromkeys(chain.from_iterable(row.cells or () for row in rows))
    return Table(list(header), rows)


def _json_row(number: int, line: str) -> Row:
    try:
        fields = msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return Row(number, None, "the line is not a JSON object")
    return Row(number, {name: _text(value) for name, value in fields.items()})


def _text(value: object) -> str:
    """A JSON value as a CSV cell would have it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
