"""Which column of the file becomes which field of an answer, as said on the command line."""

from __future__ import annotations

from msgspec import Struct

from deploy.up.failure import CANNOT_START, Failure
from schemas.feedback import Answer

FIELDS = tuple(field for field in Answer.__struct_fields__ if field != "tags")
REQUIRED = ("touchpoint", "metric", "score", "occurred_at")
TAG = "tags."


class Mapping(Struct, frozen=True):
    """`columns` by field, and `constants` by field: a constant also stands in where a mapped cell is empty."""

    columns: dict[str, str]
    constants: dict[str, str]

    def column(self, field: str) -> str:
        """Where a field comes from, to tell people; empty when it comes from no column."""
        return self.columns.get(field, "")


def parse_mapping(maps: list[str], constants: list[str]) -> Mapping:
    """Read --map FIELD=COLUMN and --set FIELD=VALUE. Raises Failure."""
    mapping = Mapping(_pairs("--map", "COLUMN", maps), _pairs("--set", "VALUE", constants))
    missing = [f for f in REQUIRED if f not in mapping.columns and f not in mapping.constants]
    if missing:
        hints = " ".join(f"--map {field}=COLUMN" for field in missing)
        raise Failure(f"It must be said where {', '.join(missing)} come from: {hints}.", CANNOT_START)
    return mapping


def check_columns(mapping: Mapping, header: list[str]) -> None:
    """Raise Failure unless the file has every mapped column."""
    for column in mapping.columns.values():
        if column not in header:
            raise Failure(f"The file has no column '{column}'. It has: {', '.join(header)}.", CANNOT_START)


def _pairs(option: str, right: str, given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        field, equals, value = text.partition("=")
        if not (equals and value):
            raise Failure(f"{option} {text}: write it as {option} FIELD={right}.", CANNOT_START)
        if field not in FIELDS and not (field.startswith(TAG) and len(field) > len(TAG)):
            known = ", ".join((*FIELDS, f"{TAG}NAME"))
            raise Failure(f"{option} {text}: feedback has no field '{field}'. It has: {known}.", CANNOT_START)
        pairs[field] = value
    return pairs
