"""Step 4 of 5 from signal to message: what a receiver's answer means, and when to try again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from msgspec import Struct

RETRIED = frozenset({408, 425, 429})
"""Refusals by status that are worth another try, besides all 5xx."""


class Delivered(Struct, frozen=True, tag=True):
    """The receiver has it."""


class Retry(Struct, frozen=True, tag=True):
    """Not now. `after_seconds` is the wait the receiver asked for; None: it named none."""

    reason: str
    after_seconds: float | None = None


class Drop(Struct, frozen=True, tag=True):
    """Never: what to tell people about why."""

    reason: str


Verdict = Delivered | Retry | Drop


class Patience(Struct, frozen=True):
    """How often and how long one alert is tried. All in seconds."""

    first_wait: float = 0.5
    longest_wait: float = 60.0
    give_up_after: float = 900.0


def judge(status: int, retry_after: str, now: datetime) -> Verdict:
    """The verdict on an HTTP answer with this status and Retry-After header ("" when it has none)."""
    if 200 <= status < 300:
        return Delivered()
    if status >= 500 or status in RETRIED:
        return Retry(f"HTTP {status}", seconds_asked(retry_after, now))
    if 300 <= status < 400:
        return Drop(f"HTTP {status}: the address redirects; configure the address it leads to")
    return Drop(f"HTTP {status}: the receiver refused it")


def seconds_asked(retry_after: str, now: datetime) -> float | None:
    """The wait in a Retry-After header, given in seconds or as a date; None when it names none."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def persist(retry: Retry, tries: int, waited: timedelta, draw: float, patience: Patience) -> Retry | Drop:
    """When to try again after `tries` failures within `waited`, or that it is no use.

    The wait doubles from `first_wait` up to `longest_wait` and is shortened by up to half by `draw`, a number
    from 0 to 1; a wait the receiver asked for is kept exactly.
    """
    doubled = min(patience.longest_wait, patience.first_wait * 2.0 ** min(tries - 1, 30))
    wait = doubled * (1 - draw / 2) if retry.after_seconds is None else retry.after_seconds
    if waited.total_seconds() + wait > patience.give_up_after:
        return Drop(f"gave up after {tries} {'try' if tries == 1 else 'tries'}, the last: {retry.reason}")
    return Retry(retry.reason, wait)
