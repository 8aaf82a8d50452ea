"""One scenario of the benchmark: false alarms of unchanged touchpoints, then the delay after drops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tests.bench.detection import drift
from tests.bench.detection.ours import Fleet, feed
from tests.bench.detection.rivals import RIVALS, alarm_after, oracle, past, peaks
from tests.bench.detection.worlds import DAY, HOUR, START, Floats, Stream, World, stream

FLEET = 10
YEAR_DAYS, HISTORY_DAYS, HORIZON_DAYS = 365, 60, 60
SIZES = (0.05, 0.10, 0.20)
SEED = 4
OURS, OPTIMUM = "ours", "optimum"


class Quiet(NamedTuple):
    """What unchanged touchpoints gave: our false alarms, and the peaks of the others by name."""

    touchpoints: int
    alarms: int
    ends: int
    peaks: dict[str, Floats]


class Delay(NamedTuple):
    """One touchpoint's answers and hours from a drop to its alarm; `missed` if there was none in 60 days."""

    answers: int
    hours: float
    missed: bool


Delays = dict[tuple[str, float], list[Delay]]
"""By method and size of the drop."""


def optimum(size: float) -> str:
    """The name of the oracle for drops of this size."""
    return f"{OPTIMUM} {size:g}"


def quiet(world: World, fleet: int) -> Quiet:
    """A year of a fleet in which nothing happens."""
    streams = [stream(world, YEAR_DAYS, (SEED, 0, fleet, number)) for number in range(FLEET)]
    ours = Fleet(streams)
    ours.run(YEAR_DAYS)
    kinds = [said.verdict.kind for touchpoint in ours.said for said in touchpoint]
    found: dict[str, list[Floats]] = {}
    for one in streams:
        known = past(one)
        for name, course in RIVALS.items():
            found.setdefault(name, []).append(peaks(course(one, known)))
        for size in SIZES:
            found.setdefault(optimum(size), []).append(peaks(oracle(one, one.truth, size)))
    merged = {name: np.concatenate(parts) for name, parts in found.items()}
    return Quiet(FLEET, kinds.count("drop"), kinds.count("drop_over"), merged)


def merged(parts: list[Quiet]) -> Quiet:
    """Several fleets as one."""
    names = parts[0].peaks
    return Quiet(
        sum(part.touchpoints for part in parts),
        sum(part.alarms for part in parts),
        sum(part.ends for part in parts),
        {name: np.concatenate([part.peaks[name] for part in parts]) for name in names},
    )


def drops(world: World, fleet: int, thresholds: dict[str, float]) -> Delays:
    """A fleet with 60 days of history, then each size of drop in each touchpoint."""
    days = HISTORY_DAYS + 1 + HORIZON_DAYS
    streams = [stream(world, days, (SEED, 1, fleet, number)) for number in range(FLEET)]
    ours = Fleet(streams)
    ours.run(HISTORY_DAYS)
    hours = np.random.default_rng((SEED, 2, fleet)).uniform(0.0, 24.0, FLEET)
    found: Delays = {}
    for number, one in enumerate(streams):
        fell_at = START + HISTORY_DAYS * DAY + hours[number] * HOUR
        until = np.searchsorted(one.times, fell_at + HORIZON_DAYS * DAY)
        one = Stream(*(column[:until] for column in one))
        first = int(np.searchsorted(one.times, fell_at))
        counts = our_delays(ours, number, one, first) | rival_delays(one, first, thresholds)
        if fleet * FLEET + number < drift.TOUCHPOINTS_FOR_DELAY:
            counts |= drift_delays(one, first, thresholds)
        for key, count in counts.items():
            found.setdefault(key, []).append(delay(one, first, fell_at, count))
    return found


def our_delays(ours: Fleet, number: int, one: Stream, first: int) -> dict[tuple[str, float], int]:
    """Ours; a touchpoint with a false alarm just then is left out, as it is for the others."""
    detector = ours.detectors[number]
    begun = int(np.searchsorted(one.times, START + HISTORY_DAYS * DAY))
    feed(detector, one, range(begun, first), ours.group, ours.policy)
    if detector.incident:
        return {}
    found: dict[tuple[str, float], int] = {}
    for size in SIZES:
        alarm = ours.until_alarm(number, one.fallen(first, size), first)
        found[OURS, size] = alarm.answer - first + 1 if alarm else len(one.times) - first + 1
    return found


def rival_delays(one: Stream, first: int, thresholds: dict[str, float]) -> dict[tuple[str, float], int]:
    """The others at their thresholds, and the optimum for each size."""
    found: dict[tuple[str, float], int] = {}
    for size in SIZES:
        fallen = one.fallen(first, size)
        known = past(fallen)
        courses = {name: course(fallen, known) for name, course in RIVALS.items()}
        courses[OPTIMUM] = oracle(fallen, one.truth, size)
        for name, course in courses.items():
            threshold = thresholds[optimum(size) if name == OPTIMUM else name]
            count = alarm_after(course, first, threshold)
            if count is not None:
                found[name, size] = count
    return found


def drift_delays(one: Stream, first: int, thresholds: dict[str, float]) -> dict[tuple[str, float], int]:
    """The library's detectors at their strictness."""
    found: dict[tuple[str, float], int] = {}
    for name in drift.METHODS:
        counts = drift.delays(name, thresholds[name], one, first, SIZES)
        found |= {(name, size): count for size, count in zip(SIZES, counts, strict=True)}
    return found


def delay(one: Stream, first: int, fell_at: float, count: int) -> Delay:
    """In answers and hours; an alarm that did not come counts as the horizon."""
    horizon = len(one.times) - first
    if count > horizon:
        return Delay(horizon, HORIZON_DAYS * 24.0, True)
    return Delay(count, float(one.times[first + count - 1] - fell_at) / HOUR, False)
