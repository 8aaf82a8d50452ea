"""Seeded streams of answers for the tests of drop detection."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from msgspec.structs import replace

from services.aggregator.baseline import ALONE, Group, Policy
from services.aggregator.detector import DropDetector, Verdict

START = 1_767_225_600.0
"""2026-01-01T00:00Z."""
HOUR, DAY = 3_600.0, 86_400.0
USUAL, DROPPED = 0.82, 0.52
TAUGHT = 3000
"""Answers at the usual level before a drop."""
POLICY = Policy()
PATIENT = replace(POLICY, budget_months=1e12)
"""Never alarms: to see what the evidence does."""


class Stream:
    """A detector and the answers it is given: `hourly` on average."""

    def __init__(
        self, seed: int, hourly: float = 60.0, policy: Policy = POLICY, group: Group = ALONE
    ) -> None:
        self.detector = DropDetector()
        self.at, self.hourly, self.policy, self.group = START, hourly, policy, group
        self.random = Random(seed)
        self.given = 0

    def answers(self, count: int, level: float, live: bool = True) -> list[Verdict]:
        """Give so many answers of which this share is good; what was said to them."""
        said = (self.answer(1.0 if self.random.random() < level else 0.0, live) for _ in range(count))
        return [verdict for verdict in said if verdict]

    def until_said(self, level: float, patience: int = 3000) -> tuple[int, Verdict]:
        """Give answers until something is said: how many it took, and what."""
        for number in range(1, patience + 1):
            if said := self.answers(1, level):
                return number, said[0]
        raise AssertionError(f"nothing was said to {patience} answers")

    def answer(self, level: float, live: bool = True) -> Verdict | None:
        """Give one answer, some time after the one before."""
        self.at += self.random.expovariate(self.hourly / HOUR)
        return self.give(level, self.at, live)

    def give(self, level: float, at: float, live: bool = True) -> Verdict | None:
        """Give one answer of this time."""
        self.given += 1
        return self.detector.observe(level, at, f"e{self.given}", live, self.policy, self.group)

    def usual(self) -> float:
        """The learned level over the day."""
        return self.detector.baseline.level(self.policy, self.group)


def taught(seed: int, hourly: float = 60.0, policy: Policy = POLICY) -> Stream:
    """A stream at the usual level with no incident, long enough for a baseline."""
    stream = Stream(seed, hourly, policy)
    stream.answers(TAUGHT, USUAL)
    while stream.detector.incident:
        stream.answers(1, USUAL)
    return stream


def drops(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The alarms."""
    return [verdict for verdict in verdicts if verdict.kind == "drop"]
