"""Windows, part 1: the counts of one stretch of time, each knowing which source offsets it includes."""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

from msgspec import Struct

from schemas.scores import MINUTES_KEPT_SECONDS, RESOLUTION_SECONDS, WINDOWS, Pane, Resolution
from schemas.scoring import Metric, Tally

HOUR = 3600
HOT_SECONDS: dict[Resolution, int] = {"1m": WINDOWS["24h"].seconds + HOUR, "1h": 8 * 24 * HOUR}
"""How long after its end a pane is kept in memory for new answers. Answers that come later are `cold`."""
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


class PaneState(Struct):
    """A pane's counts, and the source offset after the last one counted: what replays are skipped by."""

    version: int
    tally: Tally


class LivePane:
    """A pane in memory. `settled` are the counts that its windows already hold, None while those are all."""

    __slots__ = ("id", "settled", "state")

    def __init__(self, pane: PaneId, state: PaneState | None = None) -> None:
        self.id = pane
        self.state = state or PaneState(0, Tally())
        self.settled: Tally | None = None

    def touch(self) -> bool:
        """Get ready for a change; whether this is the first since the windows were settled."""
        if self.settled is not None:
            return False
        self.settled = copy(self.state.tally)
        return True


def pane_start(resolution: Resolution, occurred: float) -> int:
    """The start, in seconds since 1970, of the pane in which this moment lies."""
    step = RESOLUTION_SECONDS[resolution]
    return int(occurred) // step * step


def resolutions_of(age: float) -> tuple[Resolution, ...]:
    """Which panes an answer fills that was this old, in seconds, on arrival."""
    return ("1m", "1h") if age <= MINUTES_KEPT_SECONDS else ("1h",)


def is_cold(resolution: Resolution, start: int, newest_received: float) -> bool:
    """Whether an answer comes too late for the pane kept in memory, when answers have arrived until then.

    The newest arrival is that of the messages up to this one, so a replay decides the same.
    """
    return newest_received >= start + RESOLUTION_SECONDS[resolution] + HOT_SECONDS[resolution]


def segment_of(offset: int) -> int:
    """The segment of cold answers to which a source offset belongs; complete when the next one begins."""
    return offset // SEGMENT_OFFSETS + 1


def is_out_of_reach(pane: PaneId, newest_received: float, committed: int) -> bool:
    """Whether no answer can reach this pane any more, not even by a replay from `committed`.

    `newest_received` is the newest arrival among the messages before `committed`.
    """
    if pane.segment:
        return pane.segment < segment_of(committed)
    return is_cold(pane.resolution, pane.start, newest_received)


def row(pane: PaneId, state: PaneState, partition: int) -> Pane:
    """The pane as it goes to ClickHouse."""
    tally = state.tally
    return Pane(
        workspace=pane.series.workspace,
        touchpoint=pane.series.touchpoint,
        metric=pane.series.metric,
        pane_start=pane.start,
        src_partition=partition,
        segment=pane.segment,
        n=tally.n,
        sum=tally.sum,
        sum_sq=tally.sum_sq,
        top=tally.top,
        bottom=tally.bottom,
        hist=tally.hist,
        version=state.version,
    )
