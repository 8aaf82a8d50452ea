"""Windows, part 1: how often each score was given, as one integer that has 32 bits for each score.

Adding two such integers adds the counts of every score, so an answer costs one addition and a pane one number.
Counts may be negative: an answer can be taken back in another pane than the one that counted it.
"""

from __future__ import annotations

import struct
from functools import lru_cache

import msgspec

from schemas.scoring import SCALES, Metric, Tally, score_of, tally_from

BITS = 32
UNITS = tuple(1 << BITS * score for score in range(1 + max(scale.highest for scale in SCALES.values())))
"""One answer, by its score."""
REMEMBERED = 8192
"""Counts are small numbers for most panes, so the figures of a few thousand are asked for again and again."""

HALF = 1 << BITS - 1
"""Counts are read with so much added to each, because then none is negative."""

_shapes = {metric: struct.Struct(f"<{scale.highest + 1}I") for metric, scale in SCALES.items()}
_halves = {metric: sum(HALF * unit for unit in UNITS[: SCALES[metric].highest + 1]) for metric in SCALES}
_json = msgspec.json.Encoder().encode


def histogram(metric: Metric, counts: int) -> list[int]:
    """The counts of each score, from 0 to the metric's highest."""
    shape = _shapes[metric]
    return [count - HALF for count in shape.unpack((counts + _halves[metric]).to_bytes(shape.size, "little"))]


def pack(counts: int) -> bytes:
    """Counts as few bytes."""
    return counts.to_bytes(counts.bit_length() // 8 + 1, "little", signed=True)


def unpack(packed: bytes) -> int:
    """What `pack` has packed."""
    return int.from_bytes(packed, "little", signed=True)


@lru_cache(REMEMBERED)
def figures(metric: Metric, counts: int) -> Tally:
    """The additive figures of these answers."""
    return tally_from(metric, histogram(metric, counts))


@lru_cache(REMEMBERED)
def score_json(metric: Metric, counts: int) -> msgspec.Raw:
    """The score of these answers, as it is published."""
    some = figures(metric, counts)
    return msgspec.Raw(_json(score_of(metric, some.n, some.sum, some.sum_sq, some.top, some.bottom)))
