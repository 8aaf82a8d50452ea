"""What the aggregator makes of answers: panes (feedback.panes, panes_1m, panes_1h) and rolling scores."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from schemas.scoring import Metric, Score

Resolution = Literal["1m", "1h"]
RESOLUTION_SECONDS: dict[Resolution, int] = {"1m": 60, "1h": 3600}

Window = Literal["5m", "1h", "24h", "7d"]


class WindowShape(Struct, frozen=True):
    """How long a rolling window is, and of which panes it is made."""

    seconds: int
    resolution: Resolution


WINDOWS: dict[Window, WindowShape] = {
    "5m": WindowShape(300, "1m"),
    "1h": WindowShape(3600, "1m"),
    "24h": WindowShape(86_400, "1m"),
    "7d": WindowShape(604_800, "1h"),
}
"""A window that ends at t holds the panes that start after t minus its length."""

MINUTES_KEPT_SECONDS = 35 * 86_400
"""Answers older than this on arrival (imported history) fill hour panes only."""


class Pane(Struct, frozen=True, kw_only=True):
    """Absolute counts of one touchpoint, metric and stretch of time, and one row of panes_1m or panes_1h.

    `pane_start` is in seconds since 1970. `version` is a source offset: the row includes every answer before it, so
    of two rows with the same key the higher one is right. `segment` is 0 for a pane kept in memory; answers that come
    after it was let go are counted in rows of their own, one per stretch of source offsets. Readers add up segments
    and source partitions.
    """

    workspace: str
    touchpoint: str
    metric: Metric
    pane_start: int
    src_partition: int
    segment: int
    n: int
    sum: int
    sum_sq: int
    top: int
    bottom: int
    hist: list[int]
    version: int


class ScoreUpdate(Struct, frozen=True, kw_only=True):
    """The latest rolling scores of one touchpoint and metric, on feedback.scores."""

    workspace: str
    touchpoint: str
    metric: Metric
    as_of: datetime
    windows: dict[Window, Score]
