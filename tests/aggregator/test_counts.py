"""Counts of every score in one integer: they add up and are read back, taken back ones too."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.scoring import METRICS, SCALES, Metric, Score, score_of, tally_from
from services.aggregator.counts import UNITS, figures, histogram, pack, score_json, unpack


@st.composite
def histograms(draw: st.DrawFn) -> tuple[Metric, list[int], list[int]]:
    metric = draw(st.sampled_from(METRICS))
    size = SCALES[metric].highest + 1
    counts = st.lists(st.integers(-(2**29), 2**29), min_size=size, max_size=size)
    return metric, draw(counts), draw(counts)


def counts_of(some: list[int]) -> int:
    return sum(count * UNITS[score] for score, count in enumerate(some))


@given(histograms())
def test_adding_counts_adds_the_count_of_every_score(some: tuple[Metric, list[int], list[int]]) -> None:
    metric, one, other = some

    assert histogram(metric, counts_of(one) + counts_of(other)) == [
        a + b for a, b in zip(one, other, strict=True)
    ]


@given(histograms())
def test_packed_counts_are_unpacked(some: tuple[Metric, list[int], list[int]]) -> None:
    for counts in map(counts_of, some[1:]):
        assert unpack(pack(counts)) == counts


def test_figures_and_score_are_those_of_the_histogram() -> None:
    hist = [0, 1, 0, 1, 1, 2]
    expected = tally_from("csat", hist)

    assert figures("csat", counts_of(hist)) == expected
    assert msgspec.json.decode(score_json("csat", counts_of(hist)), type=Score) == score_of(
        "csat", expected.n, expected.sum, expected.sum_sq, expected.top, expected.bottom
    )
