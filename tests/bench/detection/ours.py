"""Runs the shipped detector over fleets of touchpoints that share what is usual among them, renewed daily."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import numpy as np

from services.aggregator.baseline import ALONE, Group, Policy, group_of
from services.aggregator.detector import DropDetector, Verdict
from tests.bench.detection.worlds import DAY, START, Stream

POLICY = Policy()


class Detected(NamedTuple):
    """An alarm or its end, and the number of the answer that tipped it."""

    answer: int
    verdict: Verdict


class Fleet:
    """The detectors of some touchpoints of one workspace and metric, fed day by day."""

    def __init__(self, streams: list[Stream], policy: Policy = POLICY) -> None:
        self.streams, self.policy = streams, policy
        self.detectors = [DropDetector() for _ in streams]
        self.group = ALONE
        self.said: list[list[Detected]] = [[] for _ in streams]

    def run(self, days: int) -> None:
        """Feed the first so many days."""
        ends = START + DAY * np.arange(days + 1)
        bounds = [np.searchsorted(stream.times, ends) for stream in self.streams]
        for day in range(days):
            for number, stream in enumerate(self.streams):
                first, last = bounds[number][day : day + 2]
                self.said[number] += feed(
                    self.detectors[number], stream, range(first, last), self.group, self.policy
                )
            self.group = group_of(detector.baseline for detector in self.detectors)

    def until_alarm(self, number: int, stream: Stream, first: int) -> Detected | None:
        """The first alarm of a touchpoint whose answers go on like `stream`; the fleet stays as it is."""
        detector = deepcopy(self.detectors[number])
        for start in range(first, len(stream.times), 500):
            answers = range(start, min(start + 500, len(stream.times)))
            if said := feed(detector, stream, answers, self.group, self.policy):
                return said[0]
        return None


def feed(
    detector: DropDetector, stream: Stream, answers: range, group: Group, policy: Policy
) -> list[Detected]:
    """Give these answers of a stream to a detector; what it said."""
    observe, said = detector.observe, []
    levels, times = stream.answers[answers.start : answers.stop], stream.times[answers.start : answers.stop]
    for number, (level, at) in enumerate(zip(levels.tolist(), times.tolist(), strict=True), answers.start):
        verdict = observe(level, at, "e", True, policy, group)
        if verdict is not None:
            said.append(Detected(number, verdict))
    return said
