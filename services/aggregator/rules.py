"""Knows by which rules the series of a partition are watched, from which source offset on.

Rules come from a file and not from the log, and what a detector says depends on them. So a replay must go by the
same rules as the first time: which rules count from which offset is durable before the message at that offset is
folded (`Watermark.keep`), and kept for each offset to which a replay may go back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from msgspec import Struct

from schemas.rules import DEFAULT, Override, Rules, applied, overrides_for
from services.aggregator.baseline import DAY_SECONDS, Policy
from services.aggregator.panes import SeriesId
from services.aggregator.series import Series

NEVER = sys.maxsize
LIVE_SECONDS = 30 * DAY_SECONDS
"""A series without an answer for so long shares no budget with others."""
COUNT_TOLERANCE = 0.1
"""Rules are not told anew for a number of live series that differs by no more than this share."""


class Ruling(Struct, frozen=True, array_like=True):
    """Rules, and the number of live series that their budget is divided by (0 where it is not divided)."""

    rules: Rules = DEFAULT
    live_series: int = 0

    def policy_of(self, series: SeriesId) -> Policy:
        """What the rules mean to the detector of one series."""
        return self.policy(overrides_for(self.rules, *series))

    def policy(self, overrides: tuple[Override, ...]) -> Policy:
        """What the rules mean where these overrides match."""
        drops = applied(self.rules.drops, overrides, self.live_series)
        assert drops.budget_months is not None
        small, medium, large = (size / 100 for size in drops.sizes_points)
        return Policy(
            budget_months=drops.budget_months,
            small=small,
            medium=medium,
            large=large,
            minimum_effect=drops.minimum_drop_points / 100,
            warm_up_answers=drops.warm_up_answers,
            over_days=drops.over_days,
            half_life_days=drops.half_life_days,
            longest_wait_days=drops.longest_wait_days,
        )

    def revised(self, rules: Rules, live_series: int) -> Ruling:
        """The same if these rules and this many live series make no difference worth telling."""
        counted = live_series if rules.drops.false_alarms_per_day else 0
        close = abs(counted - self.live_series) <= COUNT_TOLERANCE * self.live_series
        return self if rules == self.rules and close else Ruling(rules, counted)


class Rulings:
    """The rulings of one partition by the source offset from which each counts; `turns_at` is the next of these."""

    def __init__(self) -> None:
        self.by_offset: dict[int, Ruling] = {}
        self.present = Ruling()
        self.turns_at = NEVER
        self._policies: dict[tuple[Override, ...], Policy] = {}
        """Those of the present ruling: many series share one."""

    @property
    def newest(self) -> Ruling:
        """What counts in the end, as far as is known."""
        return self.by_offset[max(self.by_offset)] if self.by_offset else self.present

    def add(self, offset: int, ruling: Ruling) -> None:
        """From this offset on, which has not been folded yet, go by this ruling."""
        self.by_offset[offset] = ruling
        self.turns_at = min(self.turns_at, offset)

    def policy_of(self, series: SeriesId) -> Policy:
        """What the present ruling means to the detector of one series."""
        overrides = overrides_for(self.present.rules, *series)
        if overrides not in self._policies:
            self._policies[overrides] = self.present.policy(overrides)
        return self._policies[overrides]

    def turn(self, offset: int) -> None:
        """Go by what counts for the message at this offset."""
        begun = [at for at in self.by_offset if at <= offset]
        if begun:
            self.present = self.by_offset[max(begun)]
            self._policies.clear()
        self.turns_at = min((at for at in self.by_offset if at > offset), default=NEVER)

    def forget(self, committed: int) -> list[int]:
        """Forget what no replay from `committed` goes by; the offsets."""
        begun = sorted(at for at in self.by_offset if at <= committed)
        for at in begun[:-1]:
            del self.by_offset[at]
        return begun[:-1]


def live_series(series: Iterable[Series], now: float) -> int:
    """How many of these series have had an answer lately; `now` is in seconds since 1970."""
    return sum(one.detector.newest > now - LIVE_SECONDS for one in series)
