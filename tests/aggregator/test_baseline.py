"""What is usual at a touchpoint: learned slowly, by the time of day, and never from a bad spell too soon."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from services.aggregator.baseline import ALONE, Baseline, Group, group_of
from tests.aggregator.drops import DAY, HOUR, POLICY, USUAL, Stream, drops, taught

NEVER = replace(POLICY, minimum_effect=1.0)
"""No drop is large enough to be told."""


def test_the_usual_level_is_the_level_and_does_not_drift_to_the_good_side() -> None:
    streams = [Stream(seed) for seed in range(20)]
    for stream in streams:
        stream.answers(5000, USUAL)

    assert abs(sum(stream.usual() for stream in streams) / len(streams) - USUAL) < 0.006


def test_half_is_forgotten_in_sixty_days() -> None:
    stream = Stream(1, policy=NEVER)
    stream.answers(2000, USUAL)
    before = stream.detector.baseline.weight()
    stream.detector.baseline.learn(stream.at + 60 * DAY, NEVER, ALONE)

    waiting = 2000 - before
    assert stream.detector.baseline.weight() == pytest.approx(before / 2 + waiting, rel=0.05)


def test_nights_that_are_always_worse_are_usual() -> None:
    stream = Stream(2, hourly=20.0)

    def a_month() -> int:
        said = 0
        until = stream.at + 30 * DAY
        while stream.at < until:
            said += len(drops(stream.answers(1, 0.68 if stream.at % DAY < 6 * HOUR else 0.88)))
        return said

    a_month()
    alarms = sum(a_month() for _ in range(4))
    by_part = [
        total / weight
        for total, weight in zip(
            stream.detector.baseline.part_sums, stream.detector.baseline.part_weights, strict=True
        )
    ]

    assert alarms <= 1
    assert max(by_part[:2]) < 0.74 < 0.84 < min(by_part[2:])


def test_a_new_level_is_learned_after_45_days_even_if_it_looks_like_a_bad_spell() -> None:
    stream = taught(3, hourly=5.0, policy=NEVER)
    fell_at = stream.at
    while stream.at < fell_at + 40 * DAY:
        stream.answers(1, 0.6)
    assert stream.usual() > 0.78
    while stream.at < fell_at + 95 * DAY:
        stream.answers(1, 0.6)

    assert stream.usual() < 0.68


def test_a_wrong_early_baseline_is_outvoted() -> None:
    stream = Stream(4, hourly=50.0, policy=replace(NEVER, calm_share=math.inf))
    stream.answers(160, 0.95)
    stream.answers(2000, 0.7)

    assert abs(stream.usual() - 0.7) < 0.05


def test_swaying_days_make_it_more_cautious() -> None:
    steady, swaying = Stream(5, hourly=20.0, policy=NEVER), Stream(5, hourly=20.0, policy=NEVER)
    steady.answers(30_000, USUAL)
    while swaying.given < 30_000:
        day = swaying.random.gauss(0.0, 0.03)
        until = swaying.at + DAY
        while swaying.at < until:
            swaying.answers(1, USUAL + day)

    def doubt(stream: Stream) -> float:
        return stream.detector.baseline.usual - stream.detector.baseline.cautious

    assert doubt(steady) < 0.01
    assert doubt(swaying) > doubt(steady) + 0.005


def test_a_small_touchpoint_starts_from_its_group() -> None:
    good_group = Group(level=0.95)
    alone, grouped = Stream(6), Stream(6, group=good_group)
    for stream in (alone, grouped):
        stream.answers(20, 0.95)

    assert grouped.usual() > alone.usual()
    assert Baseline().level(POLICY, good_group) == good_group.level


def test_a_group_is_what_its_touchpoints_have_in_common() -> None:
    streams = [Stream(seed) for seed in range(10)]
    for stream in streams:
        stream.answers(1500, 0.9)
    streams[0].answers(100_000, 0.9)
    baselines = [stream.detector.baseline for stream in streams]

    group = group_of(baselines)

    assert abs(group.level - 0.9) < 0.01
    assert group == group_of(baselines)
    assert group_of([]) == ALONE
    assert 0.0 <= group.sway < 0.02**2


def test_middling_answers_make_smaller_variance() -> None:
    extremes, middling = Stream(7, policy=NEVER), Stream(7, policy=NEVER)
    for number in range(4000):
        extremes.answer(float(number % 2))
        middling.answer(0.5)

    assert abs(extremes.usual() - middling.usual()) < 0.01
    assert middling.detector.baseline.variance < 0.03 < 0.2 < extremes.detector.baseline.variance


def test_no_bet_can_lose_all_even_where_all_answers_are_bad_or_good() -> None:
    for level in (0.0, 1.0):
        stream = Stream(8, policy=NEVER)
        stream.answers(50_000, level)
        base = stream.detector.baseline
        for bet in (base.bet_small, base.bet_medium, base.bet_large):
            assert bet > 0.0
            assert 1.0 + bet * (base.cautious - 1.0) > 0.0
