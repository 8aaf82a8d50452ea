"""What a score means, on every step of the path: the one definition, to which the SQL views are tested.

Sources: Wilson (1927) for shares; for NPS the normal interval from the variance of the per-answer values
+1, 0 and -1; for means the normal interval from the sample's own variance.
"""

from __future__ import annotations

import math
from operator import mul
from typing import Literal, get_args

from msgspec import Struct

Metric = Literal["csat", "ces", "nps"]
METRICS: tuple[Metric, ...] = get_args(Metric)

Z = 1.96
"""Standard normal quantile of a two-sided 95 % interval."""


class Scale(Struct, frozen=True):
    """The answers a metric allows, and which of them are good (top) and bad (bottom)."""

    lowest: int
    highest: int
    top_from: int
    bottom_to: int


SCALES: dict[Metric, Scale] = {
    "csat": Scale(lowest=1, highest=5, top_from=4, bottom_to=2),
    "ces": Scale(lowest=1, highest=7, top_from=5, bottom_to=3),
    "nps": Scale(lowest=0, highest=10, top_from=9, bottom_to=6),
}


def in_range(metric: Metric, score: int) -> bool:
    """Whether the metric's scale has this score."""
    return score in _ALLOWED[metric]


def is_bad(metric: Metric, score: int) -> bool:
    """Whether one answer is a bad contact: CSAT <= 2, CES <= 3, NPS <= 6."""
    return score <= SCALES[metric].bottom_to


def is_good(metric: Metric, score: int) -> bool:
    """Whether one answer is a good contact: CSAT >= 4, CES >= 5, NPS >= 9."""
    return score >= SCALES[metric].top_from


def level(metric: Metric, score: int) -> float:
    """One answer as a number from 0 (bad) to 1 (good), the input of drop detection.

    CSAT and CES: 1 for a top answer, else 0. NPS: 1 promoter, 0.5 passive, 0 detractor.
    """
    return _LEVELS[metric][score]


def _level(metric: Metric, scale: Scale, score: int) -> float:
    if score >= scale.top_from:
        return 1.0
    return 0.5 if metric == "nps" and score > scale.bottom_to else 0.0


_ALLOWED = {metric: frozenset(range(scale.lowest, scale.highest + 1)) for metric, scale in SCALES.items()}
_LEVELS = {
    metric: tuple(_level(metric, scale, score) for score in range(scale.highest + 1))
    for metric, scale in SCALES.items()
}


SCORES = range(1 + max(scale.highest for scale in SCALES.values()))
SQUARES = tuple(score * score for score in SCORES)


class Tally(Struct, frozen=True):
    """Additive figures of some answers to one metric; `hist[i]` counts the answers with score `i`."""

    n: int
    sum: int
    sum_sq: int
    top: int
    bottom: int
    hist: list[int]


def tally_from(metric: Metric, histogram: list[int]) -> Tally:
    """The figures of as many answers of each score as the histogram says."""
    scale = SCALES[metric]
    return Tally(
        n=sum(histogram),
        sum=sum(map(mul, SCORES, histogram)),
        sum_sq=sum(map(mul, SQUARES, histogram)),
        top=sum(histogram[scale.top_from :]),
        bottom=sum(histogram[: scale.bottom_to + 1]),
        hist=histogram,
    )


class Score(Struct, frozen=True):
    """A metric's figures over some answers, in points (percentages; NPS from -100 to 100).

    `score` is the CSAT %, the easy % of CES, or the NPS; `mean` is the mean of the raw answers.
    Each comes with its 95 % interval. `n` is the number of answers; with none, all figures are 0.
    """

    n: int
    score: float
    score_low: float
    score_high: float
    mean: float
    mean_low: float
    mean_high: float


NO_ANSWERS = Score(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def score_of(metric: Metric, n: int, total: int, sum_sq: int, top: int, bottom: int) -> Score:
    """The figures of `n` answers whose raw scores add up to `total`, their squares to `sum_sq`."""
    if n == 0:
        return NO_ANSWERS
    value, low, high = nps_interval(n, top, bottom) if metric == "nps" else share_interval(n, top)
    mean = total / n
    margin = Z * math.sqrt(max(0.0, sum_sq / n - mean * mean) / n)
    return Score(n, value, low, high, mean, mean - margin, mean + margin)


def share_interval(n: int, top: int) -> tuple[float, float, float]:
    """Share of top answers in percent, with its Wilson interval."""
    p, zz = top / n, Z * Z
    centre = p + zz / (2 * n)
    margin = Z * math.sqrt((p * (1 - p) + zz / (4 * n)) / n)
    return 100 * p, 100 * (centre - margin) / (1 + zz / n), 100 * (centre + margin) / (1 + zz / n)


def nps_interval(n: int, top: int, bottom: int) -> tuple[float, float, float]:
    """Net promoter score with its normal interval, cut off where no score can be."""
    value = (top - bottom) / n
    margin = Z * math.sqrt(max(0.0, (top + bottom) / n - value * value) / n)
    return 100 * value, max(-100.0, 100 * (value - margin)), min(100.0, 100 * (value + margin))
