"""The scores that the benchmarks' customers give: mostly good ones, as everywhere."""

from __future__ import annotations

from random import Random

from schemas.scoring import SCALES, Metric

GOOD_SHARE = 0.85


def usual_score(random: Random, metric: Metric) -> int:
    """A good answer with that chance, else one of the others."""
    scale = SCALES[metric]
    if random.random() < GOOD_SHARE:
        return random.randint(scale.top_from, scale.highest)
    return random.randint(scale.lowest, scale.top_from - 1)
