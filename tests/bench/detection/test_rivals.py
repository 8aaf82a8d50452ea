"""The benchmark's own arithmetic: what is computed at once is what a loop over the answers gives."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.bench.detection.plot import SVG, story, svg
from tests.bench.detection.rivals import (
    LEAST_IN_A_DAY,
    WARM_UP,
    Course,
    alarm_after,
    day_mean,
    likelihood_sum,
    past,
    peaks,
    threshold_for,
)
from tests.bench.detection.worlds import DAY, WORLDS, Floats, Stream, stream

ONE = stream(WORLDS[3], 60, (1,))


def counted(course: Course, threshold: float) -> int:
    """False alarms: each lasts until all is well again."""
    alarms, ringing = 0, False
    for number, calm in zip(course.number[WARM_UP:], course.calm[WARM_UP:], strict=True):
        ringing = ringing and not calm
        if not ringing and number >= threshold:
            alarms, ringing = alarms + 1, True
    return alarms


def test_pages_sum() -> None:
    levels = np.full(len(ONE.answers), 0.8)
    total, expected = 0.0, []
    for number, good in enumerate(ONE.answers):
        step = math.log(0.7 / 0.8) if good else math.log(0.3 / 0.2)
        total = max(0.0, total + (step if number >= WARM_UP else 0.0))
        expected.append(total)

    assert likelihood_sum(ONE.answers, levels, 0.1).number == pytest.approx(expected)


def test_the_mean_of_a_day_against_what_was_usual_before() -> None:
    known = past(ONE)
    for number in (500, 2000, 5000):
        recent = (ONE.times > ONE.times[number] - DAY) & (ONE.times <= ONE.times[number])
        before = ONE.times <= ONE.times[number] - DAY
        assert recent.sum() >= LEAST_IN_A_DAY
        mean = ONE.answers[recent].mean()
        weights = 2.0 ** (-(ONE.times[number] - ONE.times[before]) / (60 * DAY))
        usual = (weights @ ONE.answers[before] + 15 * 0.82) / (weights.sum() + 15)
        assert day_mean(ONE, known).number[number] == pytest.approx(usual - mean)


@pytest.mark.parametrize("allowed", [1, 3, 10])
def test_a_threshold_gives_as_many_false_alarms_as_it_should(allowed: int) -> None:
    course = day_mean(ONE, past(ONE))

    assert counted(course, threshold_for(peaks(course), allowed)) == allowed


def test_a_delay_counts_from_the_drop() -> None:
    numbers = np.array([0.0, 1.0, 0.5, 2.0, 3.0])
    course = Course(numbers, numbers <= 0.0)

    assert alarm_after(course, 2, 2.0) == 2
    assert alarm_after(course, 2, 9.0) == 4, "one more than there are answers: missed"
    assert alarm_after(course, 2, 1.0) is None, "it rang before"


def test_the_same_seed_makes_the_same_stream_and_a_drop_makes_it_worse() -> None:
    again = stream(WORLDS[3], 60, (1,))
    fallen = ONE.fallen(1000, 0.2)

    assert all(np.array_equal(one, other) for one, other in zip(ONE, again, strict=True))
    assert np.array_equal(fallen.answers[:1000], ONE.answers[:1000])
    assert ONE.answers[1000:].mean() - fallen.answers[1000:].mean() == pytest.approx(0.2, abs=0.03)


def test_the_drawing_shows_one_drop_and_its_end() -> None:
    told = story()

    assert [verdict.kind for _, verdict in told.said] == ["drop", "drop_over"]
    assert svg(told) == SVG.read_text(), "run: python -m tests.bench.detection.plot"


def test_a_stream_of_real_answers_needs_no_draws() -> None:
    times: Floats = 3600.0 * np.arange(300, dtype=np.float64)
    real = Stream(times, np.ones(300), np.ones(300), np.empty(0))

    assert len(peaks(day_mean(real, past(real)))) >= 1
