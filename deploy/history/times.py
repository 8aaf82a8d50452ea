"""Reads the times of a file: ISO 8601 or a given format, in a given zone where they carry none."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from deploy.up.failure import CANNOT_START, Failure

Oddity = Literal["twice", "never"]
"""A local time that came twice (clocks went back), or never (clocks went forward)."""


class NoZone(ValueError):
    """A time that carries no zone, and none was given."""


class Reading(Struct, frozen=True):
    """How to read times; `format` is strptime's and empty for ISO 8601."""

    format: str
    zone: ZoneInfo | None
    oddities: Counter[Oddity]


def reading(format_: str, zone: str) -> Reading:
    """What --time-format and --zone mean. Raises Failure."""
    try:
        return Reading(format_, ZoneInfo(zone) if zone else None, Counter())
    except (ZoneInfoNotFoundError, ValueError):
        raise Failure(
            f"There is no time zone '{zone}'; a zone is called Europe/Warsaw or UTC.", CANNOT_START
        ) from None


def read_time(text: str, how: Reading) -> datetime:
    """The instant, in UTC. Raises NoZone or ValueError."""
    parsed = datetime.strptime(text, how.format) if how.format else datetime.fromisoformat(text)
    if parsed.tzinfo is not None:
        return parsed.astimezone(UTC)
    if how.zone is None:
        raise NoZone
    return _localized(parsed, how.zone, how.oddities)


def _localized(local: datetime, zone: ZoneInfo, oddities: Counter[Oddity]) -> datetime:
    """The first of two instants when the local time came twice; moved on by the gap when it never came."""
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local:
        oddities["never"] += 1
    elif local.replace(tzinfo=zone, fold=1).astimezone(UTC) != instant:
        oddities["twice"] += 1
    return instant
