"""Windows, part 2: running totals over the panes of one series: a score costs the same for any window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from schemas.scores import RESOLUTION_SECONDS, WINDOWS, Resolution, ScoreUpdate, Window, WindowShape
from schemas.scoring import SCALES, Metric, Score, score_of
from services.aggregator.panes import PaneState, SeriesId

Panes = Mapping[int, PaneState]
"""Panes of one resolution by their start."""


class Totals(Struct):
    """Sums over the panes that start after `edge` (seconds since 1970)."""

    edge: int
    n: int = 0
    sum: int = 0
    sum_sq: int = 0
    top: int = 0
    bottom: int = 0

    def count(self, metric: Metric, score: int, start: int) -> None:
        """Add one answer of the pane that starts then, if the window reaches back to it."""
        if start <= self.edge:
            return
        scale = SCALES[metric]
        self.n += 1
        self.sum += score
        self.sum_sq += score * score
        self.top += score >= scale.top_from
        self.bottom += score <= scale.bottom_to

    def advance(self, panes: Panes, shape: WindowShape, now: int) -> None:
        """Let the window end now: take off the panes it has left behind."""
        edge, step = now - shape.seconds, RESOLUTION_SECONDS[shape.resolution]
        if edge <= self.edge:
            return
        first = (self.edge // step + 1) * step
        if (edge - first) // step > len(panes):
            left_behind = [pane for start, pane in panes.items() if self.edge < start <= edge]
        else:
            left_behind = [panes[start] for start in range(first, edge + 1, step) if start in panes]
        for pane in left_behind:
            self._add(pane, -1)
        self.edge = edge

    def _add(self, pane: PaneState, sign: int) -> None:
        tally = pane.tally
        self.n += sign * tally.n
        self.sum += sign * tally.sum
        self.sum_sq += sign * tally.sum_sq
        self.top += sign * tally.top
        self.bottom += sign * tally.bottom

    def score(self, metric: Metric) -> Score:
        """The window's figures."""
        return score_of(metric, self.n, self.sum, self.sum_sq, self.top, self.bottom)


class Rolling(Struct):
    """All windows of one series."""

    totals: dict[Window, Totals]

    def count(self, metric: Metric, score: int, resolution: Resolution, start: int) -> None:
        """Add one answer to the windows made of panes of this resolution."""
        for window, totals in self.totals.items():
            if WINDOWS[window].resolution == resolution:
                totals.count(metric, score, start)

    def advance(self, panes: Mapping[Resolution, Panes], now: int) -> bool:
        """Let every window end now; whether any of them changed by that."""
        before = [totals.n for totals in self.totals.values()]
        for window, totals in self.totals.items():
            shape = WINDOWS[window]
            totals.advance(panes[shape.resolution], shape, now)
        return before != [totals.n for totals in self.totals.values()]

    def update(self, series: SeriesId, as_of: datetime) -> ScoreUpdate:
        """The scores as they are published."""
        return ScoreUpdate(
            workspace=series.workspace,
            touchpoint=series.touchpoint,
            metric=series.metric,
            as_of=as_of,
            windows={window: totals.score(series.metric) for window, totals in self.totals.items()},
        )


def rolling_over(panes: Mapping[Resolution, Panes]) -> Rolling:
    """Windows that hold all these panes; `advance` then lets go of the old ones."""
    totals = {window: Totals(edge=-1) for window in WINDOWS}
    for window, shape in WINDOWS.items():
        for pane in panes[shape.resolution].values():
            totals[window]._add(pane, 1)
    return Rolling(totals)
