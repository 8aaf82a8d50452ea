"""What holds for every score, whatever the answers were."""

from __future__ import annotations

from itertools import permutations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.scoring import METRICS, SCALES, Metric, Score, Tally, level, score_of, tally_from

LIMITS: dict[Metric, tuple[int, int]] = {"csat": (0, 100), "ces": (0, 100), "nps": (-100, 100)}
ROUNDING = 1e-9
"""Floating point may be off by this."""

Answers = tuple[Metric, list[int]]


@st.composite
def some_answers(draw: st.DrawFn, most: int = 200) -> Answers:
    metric = draw(st.sampled_from(METRICS))
    scores = st.integers(SCALES[metric].lowest, SCALES[metric].highest)
    return metric, draw(st.lists(scores, min_size=1, max_size=most))


def tally_of(answers: Answers) -> Tally:
    metric, scores = answers
    return tally_from(metric, [scores.count(score) for score in range(SCALES[metric].highest + 1)])


def score_from(metric: Metric, tally: Tally, times: int = 1) -> Score:
    """The score of these answers, each given so many times."""
    counts = (tally.n, tally.sum, tally.sum_sq, tally.top, tally.bottom)
    return score_of(metric, *(times * count for count in counts))


@given(some_answers())
def test_the_interval_contains_the_score_and_stays_within_the_limits(answers: Answers) -> None:
    score = score_from(answers[0], tally_of(answers))

    lowest, highest = LIMITS[answers[0]]
    assert lowest - ROUNDING <= score.score_low <= score.score + ROUNDING
    assert score.score - ROUNDING <= score.score_high <= highest + ROUNDING
    assert score.mean_low <= score.mean <= score.mean_high
    assert score.n == len(answers[1])


@given(some_answers(), st.integers(2, 50))
def test_more_answers_of_the_same_kind_make_the_interval_narrower(answers: Answers, times: int) -> None:
    tally = tally_of(answers)
    few, many = score_from(answers[0], tally), score_from(answers[0], tally, times)

    assert abs(many.score - few.score) < ROUNDING
    assert abs(many.mean - few.mean) < ROUNDING
    assert many.mean_high - many.mean_low <= few.mean_high - few.mean_low + ROUNDING
    few_width, many_width = few.score_high - few.score_low, many.score_high - many.score_low
    assert many_width <= few_width + ROUNDING
    if answers[0] != "nps":
        assert many_width < few_width, "a Wilson interval is never of no width"


@given(some_answers(most=6))
def test_a_tally_does_not_depend_on_the_order(answers: Answers) -> None:
    metric, scores = answers

    tallies = {msgspec.json.encode(tally_of((metric, list(order)))) for order in permutations(scores)}

    assert len(tallies) == 1


@given(some_answers())
def test_a_tally_adds_up(answers: Answers) -> None:
    tally, (_, scores) = tally_of(answers), answers

    assert sum(tally.hist) == tally.n == len(scores)
    assert sum(score * n for score, n in enumerate(tally.hist)) == tally.sum == sum(scores)
    assert sum(score**2 * n for score, n in enumerate(tally.hist)) == tally.sum_sq
    assert tally.top + tally.bottom <= tally.n


@given(some_answers())
def test_levels_agree_with_top_and_bottom(answers: Answers) -> None:
    metric, scores = answers
    tally = tally_of(answers)
    levels = [level(metric, score) for score in scores]

    assert levels.count(1.0) == tally.top
    if metric == "nps":
        assert levels.count(0.0) == tally.bottom
        assert abs(200 * sum(levels) / len(levels) - 100 - score_from(metric, tally).score) < ROUNDING
    else:
        assert levels.count(0.0) == tally.n - tally.top
        assert abs(100 * sum(levels) / len(levels) - score_from(metric, tally).score) < ROUNDING
