"""Page-Hinkley and ADWIN of the library `river`, calibrated by bisection; left out where it is not installed.

They cost more than a whole year of all touchpoints allows, so they see fewer of them.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from tests.bench.detection.rivals import WARM_UP
from tests.bench.detection.worlds import Stream

try:
    from river import drift as river_drift
except ImportError:
    river_drift = None

BISECTIONS = 8
ANSWERS_FOR_CALIBRATION = 1_000_000
TOUCHPOINTS_FOR_DELAY = 40
Make = Callable[[float], Any]


def page_hinkley(strictness: float) -> Any:
    """A larger threshold rings less."""
    return river_drift.PageHinkley(mode="down", threshold=float(np.exp(strictness)))


def adwin(strictness: float) -> Any:
    """A smaller delta rings less."""
    return river_drift.ADWIN(delta=float(np.exp(-strictness)))


METHODS: dict[str, tuple[Make, float, float]] = (
    {"Page-Hinkley (river)": (page_hinkley, 0.0, 9.0), "ADWIN (river)": (adwin, 0.0, 60.0)}
    if river_drift
    else {}
)
"""How to make one, and between which strictnesses to look."""


def rings(detector: Any, answers: list[float]) -> list[int]:
    """The answers after which a detector reports a change for the worse."""
    falls_only, found = not hasattr(detector, "estimation"), []
    for number, level in enumerate(answers):
        before = 0.0 if falls_only else detector.estimation
        detector.update(level)
        if detector.drift_detected and (falls_only or detector.estimation < before):
            found.append(number)
    return found


def calibrated(name: str, streams: list[Stream], per_month: float, months: float) -> float:
    """The strictness that gives these unchanged streams so many alarms in a month."""
    make, loose, strict = METHODS[name]
    answers = [stream.answers.tolist() for stream in streams]
    allowed = per_month * months * len(streams)
    for _ in range(BISECTIONS):
        middle = (loose + strict) / 2
        count = 0
        for stream in answers:
            count += sum(number >= WARM_UP for number in rings(make(middle), stream))
            if count > allowed:
                break
        loose, strict = (middle, strict) if count > allowed else (loose, middle)
    return strict


def delays(name: str, strictness: float, stream: Stream, first: int, sizes: tuple[float, ...]) -> list[int]:
    """Answers from the drop to the alarm, one for each size; the horizon if there is none."""
    detector = METHODS[name][0](strictness)
    rings(detector, stream.answers[:first].tolist())
    return [until_ring(deepcopy(detector), stream.fallen(first, size).answers[first:]) for size in sizes]


def until_ring(detector: Any, answers: np.ndarray[Any, Any]) -> int:
    for start in range(0, len(answers), 1000):
        if found := rings(detector, answers[start : start + 1000].tolist()):
            return start + found[0] + 1
    return len(answers) + 1
