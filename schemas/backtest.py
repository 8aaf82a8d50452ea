"""What a backtest says: the lines that the aggregator writes and `aftertouch backtest` reads."""

from __future__ import annotations

from msgspec import Struct

from schemas.signals import Signal


class Summary(Struct, frozen=True, kw_only=True):
    """The last line. Only answers that may alarm are counted, not those that only teach.

    `series_months` adds up how long each touchpoint and metric was answered, in months, and `false_alarms` how many
    its budget allows it in that time at most.
    """

    answers: int
    taught: int
    refused: int
    repeated: int
    bad_contacts: int
    drops: int
    series: int
    series_months: float
    false_alarms: float


class Said(Struct, frozen=True, omit_defaults=True):
    """One line: a drop, the end of a drop, or the summary."""

    signal: Signal | None = None
    summary: Summary | None = None
