"""Knows what the touchpoints of a workspace have in common, which is what a new one is expected to be like.

It is worked out with the first answer of each day from the baselines as they are then. A replay must go by the same
groups as the first time, and its baselines may be ahead: so what was worked out is kept, for each offset to which a
replay may go back, and it is durable before any detector that went by it (`Watermark.flush`).
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.scoring import Metric
from services.aggregator.baseline import ALONE, DAY_SECONDS, Baseline, Group, group_of
from services.aggregator.panes import SeriesId

Name = tuple[str, Metric]
"""Workspace and metric."""


class Groups:
    """The groups of one partition, by the source offset of the day's first answer. `new` are those not yet durable."""

    def __init__(self) -> None:
        self.by_offset: dict[int, dict[Name, Group]] = {}
        self.new: list[int] = []
        self._present: dict[Name, Group] = {}
        self._day_ends = 0.0

    def of(self, series: SeriesId) -> Group:
        """The group to which a series belongs."""
        return self._present.get((series.workspace, series.metric), ALONE)

    def is_new_day(self, newest_received: float) -> bool:
        """Whether `begin` must be called before the answer that arrived then is observed."""
        return newest_received >= self._day_ends

    def begin(
        self, offset: int, newest_received: float, baselines: Iterable[tuple[SeriesId, Baseline]]
    ) -> None:
        """Begin the day of the answer at this source offset, which arrived then (seconds since 1970)."""
        self._day_ends = (newest_received // DAY_SECONDS + 1) * DAY_SECONDS
        if offset not in self.by_offset:
            self.by_offset[offset] = _groups_of(baselines)
            self.new.append(offset)
        self._present = self.by_offset[offset]

    def restore(
        self, by_offset: dict[int, dict[Name, Group]], committed: int, newest_received: float
    ) -> None:
        """Go on from the committed offset, when the newest answer before it had arrived then."""
        self.by_offset = by_offset
        begun = [offset for offset in by_offset if offset < committed]
        self._present = by_offset[max(begun)] if begun else {}
        self._day_ends = (newest_received // DAY_SECONDS + 1) * DAY_SECONDS if newest_received else 0.0

    def take_new(self) -> list[int]:
        """The offsets of what has been worked out since this was last asked."""
        new, self.new = self.new, []
        return new

    def forget(self, committed: int) -> list[int]:
        """Forget what no replay from `committed` goes by; the offsets."""
        begun = sorted(offset for offset in self.by_offset if offset < committed)
        for offset in begun[:-1]:
            del self.by_offset[offset]
        return begun[:-1]


def _groups_of(baselines: Iterable[tuple[SeriesId, Baseline]]) -> dict[Name, Group]:
    members: dict[Name, list[Baseline]] = {}
    for series, baseline in sorted(baselines, key=lambda one: one[0]):  # sums depend on the order
        members.setdefault((series.workspace, series.metric), []).append(baseline)
    return {name: group_of(some) for name, some in members.items()}
