"""The other ways to notice a drop, each as one number per answer that alarms above a threshold; and the optimum.

They are computed for a whole stream at once. An alarm lasts until the number is back at calm, so the false alarms
of every threshold can be read from the peaks between calm answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.bench.detection.worlds import DAY, MEAN_LEVEL, Floats, Stream

WARM_UP = 150
HALF_LIFE, PRIOR = 60 * DAY, 15.0
LEAST_IN_A_DAY = 5
"""A mean of fewer answers says nothing."""
SOUGHT = 0.10
LAST = 100
PEAKS_KEPT = 60
"""No method gives a touchpoint more false alarms in a year than this at the thresholds that matter."""


class Course(NamedTuple):
    """A method's number after each answer, and the answers after which it says that all is well."""

    number: Floats
    calm: np.ndarray[tuple[int], np.dtype[np.bool_]]


class Past(NamedTuple):
    """What the windows of a stream need: means of the last day, and what was usual before it."""

    day_count: Floats
    day_mean: Floats
    usual: Floats
    weight: Floats
    usual_before_last: Floats


def past(stream: Stream) -> Past:
    """The usual level forgets by half in 60 days and leaves out the window that is compared with it."""
    times, answers = stream.times, stream.answers
    count = np.arange(1, len(times) + 1)
    before = np.searchsorted(times, times - DAY, side="right")
    good = np.concatenate(([0.0], answers.cumsum()))
    in_day = count - before
    growing = 2.0 ** ((times - times[0]) / HALF_LIFE)
    weights = np.concatenate(([0.0], growing.cumsum()))
    sums = np.concatenate(([0.0], (growing * answers).cumsum()))
    before_last = np.maximum(count - LAST, 0)

    def usual(upto: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Floats, Floats]:
        weight = weights[upto] / growing + PRIOR
        return (sums[upto] / growing + PRIOR * MEAN_LEVEL) / weight, weight

    level, weight = usual(before)
    return Past(
        in_day.astype(float), (good[count] - good[before]) / in_day, level, weight, usual(before_last)[0]
    )


def fixed_line(stream: Stream, known: Past) -> Course:
    """The mean of 24 hours below one line for all touchpoints."""
    number = np.where(known.day_count >= LEAST_IN_A_DAY, 1.0 - known.day_mean, 0.0)
    return Course(number, known.day_mean >= known.usual)


def day_mean(stream: Stream, known: Past) -> Course:
    """The mean of 24 hours so far below the usual level."""
    number = np.where(known.day_count >= LEAST_IN_A_DAY, known.usual - known.day_mean, 0.0)
    return Course(number, number <= 0.0)


def last_mean(stream: Stream, known: Past) -> Course:
    """The mean of the last 100 answers so far below the usual level."""
    good = np.concatenate((np.zeros(LAST), stream.answers.cumsum()))
    number = known.usual_before_last - (good[LAST:] - good[:-LAST]) / LAST
    number[:LAST] = 0.0
    return Course(number, number <= 0.0)


def z_test(stream: Stream, known: Past) -> Course:
    """The mean of 24 hours so many standard errors below the usual level."""
    spread = known.usual * (1 - known.usual) * (1 / known.day_count + 1 / known.weight)
    number = (known.usual - known.day_mean) / np.sqrt(spread)
    number[known.day_count < LEAST_IN_A_DAY] = 0.0
    return Course(number, number <= 0.0)


def cusum(stream: Stream, known: Past) -> Course:
    """Page's one-sided sum for a drop of 10 points from the usual level."""
    return likelihood_sum(stream.answers, known.usual, SOUGHT)


def likelihood_sum(answers: Floats, level: Floats, size: float) -> Course:
    """Page's one-sided sum of log-likelihood ratios, `level - size` against `level`; a middling answer is half of
    a good and half of a bad one."""
    before, after = level.clip(0.02, 0.995), (level - size).clip(0.01)
    steps = answers * np.log(after / before) + (1 - answers) * np.log((1 - after) / (1 - before))
    steps[:WARM_UP] = 0.0
    walk = steps.cumsum()
    number = walk - np.minimum.accumulate(np.minimum(walk, 0.0))
    return Course(number, number <= 0.0)


RIVALS: dict[str, Callable[[Stream, Past], Course]] = {
    "fixed line, 24 h": fixed_line,
    "24 h vs own": day_mean,
    "last 100 vs own": last_mean,
    "z-test, 24 h": z_test,
    "CUSUM 10": cusum,
}
NAIVE = ("fixed line, 24 h", "24 h vs own", "last 100 vs own")


def oracle(stream: Stream, unchanged: Floats, size: float) -> Course:
    """The optimum: Page's sum that knows the true level at every answer, and how large the drop is."""
    return likelihood_sum(stream.answers, unchanged, size)


def peaks(course: Course) -> Floats:
    """The highest numbers of a course, one for each time that it left calm."""
    number, calm = course.number[WARM_UP:], course.calm[WARM_UP:]
    if not len(number):
        return np.empty(0)
    starts = np.flatnonzero(np.concatenate(([True], calm[1:])))
    found: Floats = np.maximum.reduceat(number, starts)
    return np.sort(found)[-PEAKS_KEPT:]


def threshold_for(found: Floats, alarms: int) -> float:
    """The threshold that so many of these peaks reach."""
    ordered = np.sort(found)[::-1]
    return float(ordered[min(max(alarms, 1), len(ordered)) - 1])


def alarm_after(course: Course, first: int, threshold: float) -> int | None:
    """Answers from the one numbered `first` to the alarm, the horizon if there is none, None if it rang before."""
    if course.number[first - 1] >= threshold:
        return None
    reached = course.number[first:] >= threshold
    return int(reached.argmax()) + 1 if reached.any() else len(reached) + 1
