"""Windows, part 2: running totals over the panes of one series: a score costs the same for any window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from schemas.scores import RESOLUTION_SECONDS, WINDOWS, Resolution, ScoreUpdate, Window, WindowShape
from schemas.scoring import Metric, Score, Tally, score_of
from services.aggregator.panes import LivePane, SeriesId

Panes = Mapping[int, LivePane]
"""Panes of one resolution by their start."""
NOTHING = Tally()


class Totals(Struct):
    """Sums over the panes that start after `edge` (seconds since 1970)."""

    edge: int
    n: int = 0
    sum: int = 0
    sum_sq: int = 0
    top: int = 0
    bottom: int = 0

    def settle(self, start: int, before: Tally, after: Tally) -> None:
        """Take in what has changed in the pane that starts then, if the window reaches back to it."""
        if start > self.edge:
            self._add(before, -1)
            self._add(after, 1)

    def advance(self, panes: Panes, shape: WindowShape, now: int) -> None:
        """Let the window end now: take off the panes it has left behind, which must be settled."""
        edge, step = now - shape.seconds, RESOLUTION_SECONDS[shape.resolution]
        if edge <= self.edge:
            return
        first = (self.edge // step + 1) * step
        if (edge - first) // step > len(panes):
            left_behind = [pane for start, pane in panes.items() if self.edge < start <= edge]
        else:
            left_behind = [panes[start] for start in range(first, edge + 1, step) if start in panes]
        for pane in left_behind:
            self._add(pane.state.tally, -1)
        self.edge = edge

    def _add(self, tally: Tally, sign: int) -> None:
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

    def settle(self, pane: LivePane) -> None:
        """Take in what has been counted in a pane since it was settled last."""
        assert pane.settled is not None
        for window, totals in self.totals.items():
            if WINDOWS[window].resolution == pane.id.resolution:
                totals.settle(pane.id.start, pane.settled, pane.state.tally)

    def advance(self, panes: Mapping[Resolution, Panes], now: int) -> bool:
        """Let every window end now; whether any of them changed by that. The panes must be settled."""
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
        for start, pane in panes[shape.resolution].items():
            totals[window].settle(start, NOTHING, pane.state.tally)
    return Rolling(totals)
