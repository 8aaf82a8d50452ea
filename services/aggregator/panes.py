"""Windows, part 2: the counts of one stretch of time, which one is filled, and how long it is kept in memory."""

from __future__ import annotations

from typing import NamedTuple

from schemas.scores import MINUTES_KEPT_SECONDS, RESOLUTION_SECONDS, WINDOWS, Pane, Resolution
from schemas.scoring import Metric
from services.aggregator.counts import figures

MINUTE, HOUR = RESOLUTION_SECONDS["1m"], RESOLUTION_SECONDS["1h"]
HOT_SECONDS: dict[Resolution, int] = {"1m": WINDOWS["24h"].seconds + HOUR, "1h": 8 * 24 * HOUR}
"""How long after its end a pane is kept in memory for new answers. Answers that come later are `cold`."""
COLD_AFTER = {resolution: step + HOT_SECONDS[resolution] for resolution, step in RESOLUTION_SECONDS.items()}
"""The same, in seconds after its start."""
SEGMENT_OFFSETS = 4096
"""Cold answers are counted in rows of their own, one per pane and this many source offsets."""


class SeriesId(NamedTuple):
    """What has a score of its own."""

    workspace: str
    touchpoint: str
    metric: Metric


class PaneId(NamedTuple):
    """Where an answer is counted. `segment` 0 is the pane kept in memory, others hold cold answers."""

    series: SeriesId
    resolution: Resolution
    start: int
    segment: int


class Panes:
    """The counts of one series and resolution in memory, by the start of their pane in seconds since 1970.

    `before` are the counts that the windows hold of those panes that have changed since.
    """

    __slots__ = ("before", "cold_after", "counts", "oldest", "resolution", "step")

    def __init__(self, resolution: Resolution) -> None:
        self.resolution: Resolution = resolution
        self.step, self.cold_after = RESOLUTION_SECONDS[resolution], COLD_AFTER[resolution]
        self.counts: dict[int, int] = {}
        self.before: dict[int, int] = {}
        self.oldest = 0

    def add(self, start: int, counts: int) -> None:
        """Count answers in the pane that starts then; counts below 0 take them back."""
        kept = self.counts.get(start)
        if kept is None:
            kept = 0
            self.oldest = min(start, self.oldest) if self.counts else start
        if start not in self.before:
            self.before[start] = kept
        self.counts[start] = kept + counts

    def take_changes(self) -> list[tuple[int, int]]:
        """What has been counted since this was last asked: starts of panes, and the counts that were added."""
        changes = [(start, self.counts[start] - before) for start, before in self.before.items()]
        self.before.clear()
        return changes

    def forget(self, newest_received: float) -> list[int]:
        """Let go of the panes that are cold when answers have arrived until then; their starts."""
        end = int(newest_received) - self.cold_after + 1
        if not self.counts or self.oldest >= end:
            return []
        cold = [start for start in self.counts if start < end]
        for start in cold:
            del self.counts[start]
            self.before.pop(start, None)
        self.oldest = min(self.counts, default=0)
        return cold


def pane_start(resolution: Resolution, occurred: float) -> int:
    """The start, in seconds since 1970, of the pane in which this moment lies."""
    step = RESOLUTION_SECONDS[resolution]
    return int(occurred) // step * step


def fills_minutes(age: float) -> bool:
    """Whether an answer that was this old, in seconds, on arrival is counted by the minute, too."""
    return age <= MINUTES_KEPT_SECONDS


def segment_of(offset: int) -> int:
    """The segment of cold answers to which a source offset belongs; complete when the next one begins."""
    return offset // SEGMENT_OFFSETS + 1


def row(pane: PaneId, counts: int, version: int, partition: int) -> Pane:
    """The pane as it goes to ClickHouse."""
    series, some = pane.series, figures(pane.series.metric, counts)
    return Pane(
        workspace=series.workspace,
        touchpoint=series.touchpoint,
        metric=series.metric,
        pane_start=pane.start,
        src_partition=partition,
        segment=pane.segment,
        n=some.n,
        sum=some.sum,
        sum_sq=some.sum_sq,
        top=some.top,
        bottom=some.bottom,
        hist=some.hist,
        version=version,
    )
