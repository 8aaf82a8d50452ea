"""Windows, part 3: running totals over the panes of one series: a score costs the same for any window."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Raw, Struct

from schemas.scores import WINDOWS, Resolution, ScoreUpdate, Window, WindowShape
from services.aggregator.counts import score_json
from services.aggregator.panes import Panes, SeriesId

MINUTE = 60
SHAPES = tuple(WINDOWS.values())


class Rolling(Struct):
    """All windows of one series as they are at `as_of` (seconds since 1970).

    `totals` are the counts of each window, in the order of WINDOWS: over the panes that start after `as_of` minus
    its length.
    """

    as_of: int
    totals: list[int]

    def take(self, resolution: Resolution, start: int, counts: int) -> None:
        """Take in what has been counted in the pane that starts then."""
        for place, shape in enumerate(SHAPES):
            if shape.resolution == resolution and start > self.as_of - shape.seconds:
                self.totals[place] += counts

    def advance(self, minutes: Panes, hours: Panes, now: int) -> bool:
        """Let every window end now; whether any of them changed by that. The panes must be settled."""
        if now // MINUTE <= self.as_of // MINUTE:
            return False  # panes and windows are whole minutes
        left = [
            _left_behind(minutes if shape.resolution == "1m" else hours, shape, self.as_of, now)
            for shape in SHAPES
        ]
        self.as_of = now
        self.totals = [total - gone for total, gone in zip(self.totals, left, strict=True)]
        return any(left)

    def update(self, series: SeriesId, as_of: datetime) -> ScoreUpdate:
        """The scores as they are published."""
        windows: dict[Window, Raw] = {
            window: score_json(series.metric, total)
            for window, total in zip(WINDOWS, self.totals, strict=True)
        }
        encoded: Any = windows
        return ScoreUpdate(
            workspace=series.workspace,
            touchpoint=series.touchpoint,
            metric=series.metric,
            as_of=as_of,
            windows=encoded,
        )


def rolling_over(minutes: Panes, hours: Panes) -> Rolling:
    """Windows that hold all these panes; `advance` then lets go of the old ones."""
    sums = {panes.resolution: sum(panes.counts.values()) for panes in (minutes, hours)}
    return Rolling(0, [sums[shape.resolution] for shape in SHAPES])


def _left_behind(panes: Panes, shape: WindowShape, before: int, now: int) -> int:
    """What a window loses when it ended `before` and ends now: the counts of the panes between its two starts."""
    old, new, counts = before - shape.seconds, now - shape.seconds, panes.counts
    first = max((old // panes.step + 1) * panes.step, panes.oldest)
    if first > new or not counts:
        return 0
    if (new - first) // panes.step > len(counts):
        return sum(count for start, count in counts.items() if old < start <= new)
    return sum(counts.get(start, 0) for start in range(first, new + 1, panes.step))
