"""What a backtest says: the lines that the aggregator writes and `aftertouch backtest` reads."""

from __future__ import annotations

from msgspec import Struct

from schemas.signals import Signal


class Summary(Struct, frozen=True, kw_only=True):
    """The last line. Only answers that may alarm are counted, not those that only teach.

    Of the `series` (touchpoints and metrics) `watched` have had more than the first answers, which only teach;
    `watched_months` adds up the time since then, in months, and `false_alarms` how many their budgets allow in it.
    """

    answers: int
    taught: int
    refused: int
    repeated: int
    bad_contacts: int
    drops: int
    series: int
    watched: int
    watched_months: float
    false_alarms: float


class Said(Struct, frozen=True, omit_defaults=True):
    """One line: a drop, the end of a drop, or the summary."""

    signal: Signal | None = None
    summary: Summary | None = None
