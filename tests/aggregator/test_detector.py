"""The drop detector over seeded streams: how often it errs, how soon it speaks, and what it says."""

from __future__ import annotations

import math
from statistics import median

import msgspec
import pytest
from msgspec.structs import replace

from services.aggregator.baseline import PARTS
from services.aggregator.detector import DropDetector, Verdict
from tests.aggregator.drops import DAY, DROPPED, HOUR, POLICY, TAUGHT, USUAL, Stream, drops, taught

DELAY_ALLOWED, DELAY_ALLOWED_MEDIAN = 150, 70
"""Answers from a drop of 30 points to its alarm, in the slowest and in the median of 40 streams."""
SINCE_ALLOWED = 4 * HOUR
"""At one answer a minute: bad luck just before a drop is told as its beginning."""
STATE_BYTES = 640


@pytest.mark.parametrize(("hourly", "touchpoints"), [(0.5, 60), (5.0, 10)])
@pytest.mark.parametrize("budget", [3.0, 12.0])
def test_false_alarms_at_an_unchanged_level_keep_the_budget(
    hourly: float, touchpoints: int, budget: float
) -> None:
    policy = replace(POLICY, budget_months=budget)
    answers = int(hourly * 24 * 365)

    alarms = sum(
        len(drops(Stream(seed, hourly, policy).answers(answers, USUAL))) for seed in range(touchpoints)
    )

    assert 0 < alarms <= touchpoints * 12 / budget


def test_a_drop_of_thirty_points_is_noticed_within_few_answers() -> None:
    delays = [taught(seed).until_said(DROPPED)[0] for seed in range(40)]

    assert max(delays) <= DELAY_ALLOWED
    assert median(delays) <= DELAY_ALLOWED_MEDIAN


@pytest.mark.parametrize("seed", range(8))
def test_an_alarm_says_since_when_how_far_and_how_sure(seed: int) -> None:
    stream = taught(seed)
    fell_at = stream.at
    _, alarm = stream.until_said(DROPPED)

    assert alarm.kind == "drop"
    assert abs(alarm.since - fell_at) < SINCE_ALLOWED
    assert alarm.began == alarm.since <= stream.at
    assert abs(alarm.baseline - USUAL) < 0.04
    assert 0 <= alarm.low < alarm.level < alarm.high <= 1
    assert alarm.high < alarm.baseline
    assert alarm.evidence >= alarm.budget == POLICY.budget_months
    assert 0 < alarm.n <= TAUGHT
    assert alarm.incident == stream.detector.incident == f"e{stream.given}"


def test_an_alarm_falls_on_a_bad_or_middling_answer() -> None:
    for seed in range(8):
        stream = taught(seed)
        levels = [stream.random.choice([0.0, 0.5, 1.0]) for _ in range(400)]
        said = [(level, verdict) for level in levels if (verdict := stream.answer(level))]
        assert [verdict.kind for _, verdict in said][:1] == ["drop"]
        assert said[0][0] < USUAL


def test_a_drop_smaller_than_the_minimum_effect_is_not_told_and_its_evidence_stays_bounded() -> None:
    stream = taught(2, policy=replace(POLICY, minimum_effect=0.5))

    assert stream.answers(20_000, USUAL - 0.2) == []
    assert math.isfinite(stream.detector.evidence())
    assert stream.detector.evidence() < 1e6


@pytest.mark.parametrize("seed", range(8))
def test_an_incident_is_said_once_and_ends_after_recovery(seed: int) -> None:
    stream = taught(seed)
    _, alarm = stream.until_said(DROPPED)

    while_low = stream.answers(500, 0.5)
    back_at = stream.at
    _, over = stream.until_said(0.85)

    assert while_low == []
    assert (over.kind, over.incident, over.began) == ("drop_over", alarm.incident, alarm.began)
    assert over.evidence >= over.budget
    assert abs(over.since - back_at) < 2 * HOUR
    assert over.level > alarm.level
    assert stream.detector.incident == ""
    assert stream.detector.evidence() == 0.0


def test_the_baseline_is_frozen_during_an_incident() -> None:
    stream = taught(3)
    stream.until_said(DROPPED)
    before = stream.usual()
    stream.answers(5000, 0.4)

    assert stream.usual() == before


def test_a_bad_spell_that_ends_before_the_alarm_is_learned_like_any_answers() -> None:
    stream = taught(1)
    stream.answers(15, 0.0)
    stream.answers(2000, USUAL)

    assert abs(stream.usual() - USUAL) < 0.02


def test_nothing_is_said_before_the_first_baseline() -> None:
    stream = Stream(5)
    good, bad = stream.answers(75, 1.0), stream.answers(75, 0.0)

    assert (good, bad) == ([], [])
    assert stream.detector.evidence() == 0.0


def test_history_teaches_and_never_alarms() -> None:
    stream, dropped_in_history = Stream(6), Stream(6)
    stream.answers(TAUGHT, USUAL, live=False)
    dropped_in_history.answers(TAUGHT, USUAL, live=False)

    assert abs(stream.usual() - USUAL) < 0.03
    assert dropped_in_history.answers(500, 0.0, live=False) == []
    assert not dropped_in_history.detector.incident
    _, alarm = stream.until_said(DROPPED)
    assert abs(alarm.baseline - USUAL) < 0.03


def test_history_that_comes_after_newer_answers_teaches_and_is_no_evidence() -> None:
    late, live = Stream(7), Stream(7)
    late.answers(20, USUAL)
    newest = late.at
    for age in range(TAUGHT, 0, -1):
        assert late.give(float(late.random.random() < USUAL), newest - age * HOUR / 60, live=False) is None
    live.answers(20, USUAL)

    assert abs(late.usual() - USUAL) < 0.03
    assert late.detector.newest == newest
    assert late.detector.evidence() == 0.0
    late.at = newest
    late.answers(200, USUAL)
    assert drops(late.answers(200, 0.3)), "warm-up is over: history counts for it"


def test_history_does_not_end_an_incident() -> None:
    stream = taught(7)
    stream.until_said(DROPPED)

    assert stream.answers(500, 1.0, live=False) == []
    assert stream.detector.incident


def test_an_answer_out_of_order_counts_with_no_time_passed() -> None:
    late, in_time = taught(9), taught(9)
    in_time.give(0.0, in_time.at)
    late.give(0.0, late.at - 60.0)

    assert late.detector.evidence() == in_time.detector.evidence()
    assert late.detector.newest == in_time.detector.newest


def test_a_changed_rule_applies_without_losing_state() -> None:
    stream = taught(10)
    while stream.detector.evidence() < 1.0:
        assert stream.answers(1, 0.6) == []
    usual, evidence = stream.usual(), stream.detector.evidence()

    stream.policy = replace(POLICY, budget_months=0.5, minimum_effect=0.0)

    assert (stream.usual(), stream.detector.evidence()) == (usual, evidence)
    alarm = stream.answer(0.0)
    assert alarm
    assert (alarm.kind, alarm.budget) == ("drop", 0.5)


def test_what_is_kept_is_small_and_stays_small() -> None:
    stream = Stream(11)
    identity = "0198f2a0-7f4e-7cc1-9a51-1c1f0a6d2b3e"
    sizes = set()
    for level, count in ((USUAL, 20_000), (0.3, 5000), (0.9, 5000), (0.3, 2000)):
        stream.answers(count, level)
        kept = replace(stream.detector, incident=identity)
        sizes.add(len(msgspec.msgpack.encode(kept)))

    assert max(sizes) <= STATE_BYTES
    assert len(stream.detector.baseline.waiting) == PARTS


@pytest.mark.parametrize("answers_after_the_alarm", [0, 1, 20])
def test_an_incident_survives_being_stored(answers_after_the_alarm: int) -> None:
    stream = taught(8)
    stream.until_said(DROPPED)
    stream.answers(answers_after_the_alarm, DROPPED)

    restored = msgspec.msgpack.decode(msgspec.msgpack.encode(stream.detector), type=DropDetector)

    assert restored == stream.detector
    heard: list[Verdict] = []
    for level in [0.0, 1.0, 1.0] * 200 + [1.0] * 50:
        verdict = stream.answer(level)
        assert verdict == restored.observe(
            level, stream.at, f"e{stream.given}", True, stream.policy, stream.group
        )
        heard += [verdict] if verdict else []
    assert [verdict.kind for verdict in heard][:1] == ["drop_over"]
    assert restored == stream.detector


def test_a_drop_that_lasts_a_day_is_told_at_one_answer_an_hour() -> None:
    stream = taught(12, hourly=1.0)
    first = stream.at
    _, alarm = stream.until_said(0.2)

    assert alarm.kind == "drop"
    assert stream.at - first < 2 * DAY
