"""The drop detector over seeded streams: how often it errs, how soon it speaks, and what it says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest

from services.aggregator.detector import WARM_UP_ANSWERS, BaselineDrop, Verdict

START = datetime(2026, 3, 1, tzinfo=UTC)
USUAL, DROPPED = 0.82, 0.52
TAUGHT = 3000
"""Answers at the usual level before a drop."""
FALSE_ALARMS_ALLOWED = 8
"""In 400,000 answers at an unchanged level: this first detector has no budget of false alarms (it gives 4)."""
DELAY_ALLOWED, DELAY_ALLOWED_MEDIAN = 110, 40
"""Answers from a drop of 30 points to its alarm, in the slowest and in the median of 40 streams."""


class Stream:
    """A detector and the answers it is given, one a minute."""

    def __init__(self, seed: int) -> None:
        self.detector = BaselineDrop()
        self.at = START
        self._random = Random(seed)
        self._count = 0

    def answers(self, count: int, level: float, live: bool = True) -> list[Verdict]:
        """Give so many answers of which this share is good; what was said to them."""
        said = (self.answer(1.0 if self._random.random() < level else 0.0, live) for _ in range(count))
        return [verdict for verdict in said if verdict]

    def until_said(self, level: float, patience: int = 1000) -> tuple[int, Verdict]:
        """Give answers until something is said: how many it took, and what."""
        for number in range(1, patience + 1):
            if said := self.answers(1, level):
                return number, said[0]
        raise AssertionError(f"nothing was said to {patience} answers")

    def answer(self, level: float, live: bool = True) -> Verdict | None:
        self._count += 1
        self.at += timedelta(minutes=1)
        return self.detector.observe(level, self.at, f"e{self._count}", live)


def taught(seed: int) -> Stream:
    """A stream at the usual level with no incident, long enough for a baseline."""
    stream = Stream(seed)
    stream.answers(TAUGHT, USUAL)
    while stream.detector.incident:
        stream.answers(1, USUAL)
    return stream


def drops(verdicts: Iterable[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.kind == "drop"]


def test_false_alarms_at_an_unchanged_level_are_few() -> None:
    alarms = [len(drops(Stream(seed).answers(20_000, USUAL))) for seed in range(20)]

    assert sum(alarms) <= FALSE_ALARMS_ALLOWED


def test_the_baseline_is_the_level_and_does_not_drift_to_the_good_side() -> None:
    streams = [Stream(seed) for seed in range(20)]
    for stream in streams:
        stream.answers(5000, USUAL)

    assert abs(sum(s.detector.baseline for s in streams) / len(streams) - USUAL) < 0.01


def test_a_drop_of_thirty_points_is_noticed_within_few_answers() -> None:
    delays = sorted(taught(seed).until_said(DROPPED)[0] for seed in range(40))

    assert delays[-1] <= DELAY_ALLOWED
    assert delays[len(delays) // 2] <= DELAY_ALLOWED_MEDIAN


@pytest.mark.parametrize("seed", range(8))
def test_an_alarm_says_since_when_and_how_far(seed: int) -> None:
    stream = taught(seed)
    began = stream.at
    _, alarm = stream.until_said(DROPPED)

    assert alarm.kind == "drop"
    assert timedelta(minutes=-60) < alarm.since - began < timedelta(minutes=60)
    assert alarm.since < stream.at
    assert abs(alarm.baseline - USUAL) < 0.05
    assert 0 <= alarm.low < alarm.level < alarm.high <= 1
    assert alarm.high < alarm.baseline
    assert alarm.incident == stream.detector.incident


def test_an_alarm_needs_a_bad_answer() -> None:
    stream = taught(1)
    levels = [0.0, 1.0] * 500

    said = {level for level in levels if stream.answer(level)}

    assert said == {0.0}


@pytest.mark.parametrize("seed", range(8))
def test_an_incident_is_said_once_and_ends_after_recovery(seed: int) -> None:
    stream = taught(seed)
    _, alarm = stream.until_said(DROPPED)

    while_low = stream.answers(100, 0.3)
    needed, over = stream.until_said(0.95)

    assert while_low == []
    assert (over.kind, over.incident) == ("drop_over", alarm.incident)
    assert needed < 60
    assert over.level > alarm.level
    assert stream.detector.incident == ""


def test_the_baseline_is_frozen_during_an_incident() -> None:
    stream = taught(3)
    _, alarm = stream.until_said(DROPPED)
    stream.answers(5000, 0.4)

    assert stream.detector.baseline == alarm.baseline


def test_the_baseline_follows_a_slow_change() -> None:
    stream = taught(4)
    for step in range(100):
        stream.answers(100, USUAL + 0.1 * step / 100)

    assert abs(stream.detector.baseline - 0.92) < 0.04


def test_nothing_is_said_before_the_first_baseline() -> None:
    stream = Stream(5)
    good, bad = stream.answers(WARM_UP_ANSWERS // 2, 1.0), stream.answers(WARM_UP_ANSWERS // 2, 0.0)

    assert (good, bad) == ([], [])


def test_history_teaches_and_never_alarms() -> None:
    taught_by_history, dropped_in_history = Stream(6), Stream(6)
    taught_by_history.answers(TAUGHT, USUAL, live=False)
    dropped_in_history.answers(TAUGHT, USUAL, live=False)

    assert abs(taught_by_history.detector.baseline - USUAL) < 0.05
    assert dropped_in_history.answers(500, 0.0, live=False) == []
    _, alarm = taught_by_history.until_said(DROPPED)
    assert abs(alarm.baseline - USUAL) < 0.05


def test_history_does_not_end_an_incident() -> None:
    stream = taught(7)
    stream.until_said(DROPPED)

    assert stream.answers(500, 1.0, live=False) == []
    assert stream.detector.incident


@pytest.mark.parametrize("answers_after_the_alarm", [0, 1, 20])
def test_an_incident_survives_being_stored(answers_after_the_alarm: int) -> None:
    stream = taught(8)
    stream.until_said(DROPPED)
    stream.answers(answers_after_the_alarm, DROPPED)

    restored = msgspec.msgpack.decode(msgspec.msgpack.encode(stream.detector), type=BaselineDrop)

    assert restored == stream.detector
    for level in [0.0, 1.0, 1.0] * 60:
        at = stream.at + timedelta(minutes=1)
        assert restored.observe(level, at, "e", True) == stream.detector.observe(level, at, "e", True)
