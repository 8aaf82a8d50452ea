"""The figures of a score against values worked out by hand from the published formulas."""

from __future__ import annotations

import pytest

from schemas.scoring import (
    NO_ANSWERS,
    SCALES,
    Metric,
    Tally,
    in_range,
    is_bad,
    level,
    nps_interval,
    score_of,
    share_interval,
    tally_from,
)

SHARES = {
    (10, 8): (80.0, 49.0157, 94.3319),
    (100, 50): (50.0, 40.3830, 59.6170),
    (1, 0): (0.0, 0.0, 79.3457),
    (1, 1): (100.0, 20.6543, 100.0),
    (20, 20): (100.0, 83.8870, 100.0),
    (20, 0): (0.0, 0.0, 16.1130),
}
"""(n, top): share p and Wilson's interval in percent: the two roots of (p - x)² = z² x (1 - x) / n, z = 1.96."""

PROMOTERS = {
    (100, 60, 20): (40.0, 24.32, 55.68),
    (4, 2, 1): (25.0, -56.2573, 100.0),
    (9, 0, 0): (0.0, 0.0, 0.0),
    (7, 7, 0): (100.0, 100.0, 100.0),
    (7, 0, 7): (-100.0, -100.0, -100.0),
}
"""(n, promoters, detractors): (p - d) ± z √((p + d - (p - d)²) / n) in points, cut off at -100 and 100."""


@pytest.mark.parametrize("answers", SHARES)
def test_a_share_has_the_wilson_interval(answers: tuple[int, int]) -> None:
    assert share_interval(*answers) == pytest.approx(SHARES[answers], abs=5e-5)


@pytest.mark.parametrize("answers", PROMOTERS)
def test_the_net_promoter_score_has_a_normal_interval(answers: tuple[int, int, int]) -> None:
    assert nps_interval(*answers) == pytest.approx(PROMOTERS[answers], abs=5e-5)


def test_the_mean_has_a_normal_interval() -> None:
    one_to_five = score_of("csat", 5, 1 + 2 + 3 + 4 + 5, 1 + 4 + 9 + 16 + 25, top=2, bottom=2)

    mean = (one_to_five.mean, one_to_five.mean_low, one_to_five.mean_high)

    assert mean == pytest.approx((3.0, 1.760387, 4.239613), abs=5e-7)  # variance 2: 1.96 √(2/5) = 1.239613


@pytest.mark.parametrize("metric", SCALES)
def test_no_answers_have_no_figures(metric: Metric) -> None:
    assert score_of(metric, 0, 0, 0, 0, 0) == NO_ANSWERS


@pytest.mark.parametrize(("metric", "answer"), [("csat", 5), ("ces", 7), ("nps", 10)])
def test_only_the_best_answers_make_the_best_score(metric: Metric, answer: int) -> None:
    tally = tally_of(metric, [answer] * 12)

    score = score_of(metric, tally.n, tally.sum, tally.sum_sq, tally.top, tally.bottom)

    assert (score.score, score.score_high) == pytest.approx((100.0, 100.0))
    assert (score.mean_low, score.mean, score.mean_high) == (answer, answer, answer)


@pytest.mark.parametrize(("metric", "answer", "worst"), [("csat", 1, 0), ("ces", 1, 0), ("nps", 0, -100)])
def test_only_the_worst_answers_make_the_worst_score(metric: Metric, answer: int, worst: int) -> None:
    tally = tally_of(metric, [answer] * 12)

    score = score_of(metric, tally.n, tally.sum, tally.sum_sq, tally.top, tally.bottom)

    assert (score.score, score.score_low) == pytest.approx((worst, worst))


@pytest.mark.parametrize(
    ("metric", "first", "last", "good", "bad"),
    [
        ("csat", 1, 5, {4, 5}, {1, 2}),
        ("ces", 1, 7, {5, 6, 7}, {1, 2, 3}),
        ("nps", 0, 10, {9, 10}, set(range(7))),
    ],
)
def test_scales_are_the_published_ones(
    metric: Metric, first: int, last: int, good: set[int], bad: set[int]
) -> None:
    answers = [score for score in range(-2, 14) if in_range(metric, score)]

    assert answers == list(range(first, last + 1))
    assert {score for score in answers if level(metric, score) == 1.0} == good
    assert {score for score in answers if is_bad(metric, score)} == bad


def test_a_passive_of_nps_is_half_a_promoter() -> None:
    assert [level("nps", score) for score in (6, 7, 8, 9)] == [0.0, 0.5, 0.5, 1.0]


def test_a_tally_counts_each_score() -> None:
    assert tally_of("csat", [5, 4, 1, 3, 5]) == Tally(
        n=5, sum=18, sum_sq=76, top=3, bottom=1, hist=[0, 1, 0, 1, 1, 2]
    )


def tally_of(metric: Metric, answers: list[int]) -> Tally:
    return tally_from(metric, [answers.count(score) for score in range(SCALES[metric].highest + 1)])
