"""Laws of the drop detector that hold for all answers."""

from __future__ import annotations

from copy import deepcopy

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.aggregator.detector import DropDetector
from tests.aggregator.drops import DAY, HOUR, PATIENT, POLICY, Stream, taught

levels = st.sampled_from([0.0, 0.5, 1.0])
answers = st.lists(
    st.tuples(levels, st.floats(-2 * HOUR, 3 * DAY, allow_nan=False), st.booleans()), max_size=400
)
"""Levels, seconds since the answer before, and whether they are live."""
TAUGHT = taught(1, policy=PATIENT)
WARMED_UP = taught(2)


def given_to(stream: Stream, answers: list[tuple[float, float, bool]]) -> Stream:
    for level, gap, live in answers:
        stream.at += gap
        stream.give(level, stream.at, live)
    return stream


@given(answers)
@settings(max_examples=60, deadline=None)
def test_the_same_answers_make_the_same_state(given_answers: list[tuple[float, float, bool]]) -> None:
    once, again = deepcopy(WARMED_UP), deepcopy(WARMED_UP)

    assert given_to(once, given_answers).detector == given_to(again, given_answers).detector


@given(answers, st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_storing_between_two_answers_changes_nothing(
    given_answers: list[tuple[float, float, bool]], cut: int
) -> None:
    whole, halves = deepcopy(WARMED_UP), deepcopy(WARMED_UP)
    given_to(whole, given_answers)
    given_to(halves, given_answers[:cut])
    halves.detector = msgspec.msgpack.decode(msgspec.msgpack.encode(halves.detector), type=DropDetector)
    given_to(halves, given_answers[cut:])

    assert halves.detector == whole.detector


@given(st.lists(levels, min_size=2, max_size=40), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_answers_of_one_instant_does_not_matter_to_the_evidence(
    tied: list[float],
    random: object,
) -> None:
    shuffled = sorted(tied, key=lambda _: random.random())  # type: ignore[attr-defined]
    given_so, shuffled_so = deepcopy(TAUGHT), deepcopy(TAUGHT)
    for stream, order in ((given_so, tied), (shuffled_so, shuffled)):
        stream.detector.baseline.due = 10**9  # nothing is learned in between
        stream.give(1.0, stream.at + HOUR)
        for level in order:
            stream.give(level, stream.at + HOUR)

    assert given_so.detector.evidence() == pytest.approx(shuffled_so.detector.evidence(), rel=1e-9)


@given(
    st.lists(st.tuples(levels, levels, st.floats(0.0, HOUR)), min_size=1, max_size=140),
)
@settings(max_examples=60, deadline=None)
def test_worse_answers_never_make_less_evidence(pairs: list[tuple[float, float, float]]) -> None:
    worse, better = deepcopy(TAUGHT), deepcopy(TAUGHT)
    for stream, pick in ((worse, min), (better, max)):
        stream.detector.baseline.due = 10**9  # the same baseline for both
        for one, other, gap in pairs:
            stream.at += gap
            stream.give(pick(one, other), stream.at)

    assert worse.detector.evidence() >= better.detector.evidence()


@given(answers, st.lists(st.floats(0.0, 30 * DAY), max_size=300))
@settings(max_examples=60, deadline=None)
def test_good_answers_never_alarm_whatever_was_before(
    history: list[tuple[float, float, bool]], gaps: list[float]
) -> None:
    stream = given_to(deepcopy(WARMED_UP), [(level, gap, False) for level, gap, _ in history])

    for gap in gaps:
        stream.at += gap
        assert stream.give(1.0, stream.at) is None


@given(answers)
@settings(max_examples=60, deadline=None)
def test_history_raises_nothing(history: list[tuple[float, float, bool]]) -> None:
    stream = deepcopy(WARMED_UP)

    for level, gap, _ in history:
        stream.at += gap
        assert stream.give(level, stream.at, live=False) is None
    assert stream.detector.incident == ""


@given(answers)
@settings(max_examples=60, deadline=None)
def test_alarms_and_their_ends_alternate_and_name_an_answer(
    given_answers: list[tuple[float, float, bool]],
) -> None:
    stream, expected = deepcopy(WARMED_UP), "drop"
    for level, gap, live in given_answers:
        stream.at += gap
        verdict = stream.give(level, stream.at, live)
        if verdict:
            assert verdict.kind == expected
            assert (level < 1.0) == (expected == "drop")
            assert 0.0 <= verdict.low <= verdict.level <= verdict.high <= 1.0
            assert verdict.evidence >= verdict.budget > 0.0
            expected = "drop_over" if expected == "drop" else "drop"


@given(st.lists(st.tuples(levels, st.floats(0.0, DAY)), max_size=300))
@settings(max_examples=60, deadline=None)
def test_detector_is_finite_and_never_negative(pairs: list[tuple[float, float]]) -> None:
    stream = Stream(1, policy=POLICY)
    for level, gap in pairs:
        stream.at += gap
        stream.give(level, stream.at)
        assert 0.0 <= stream.detector.evidence() < 1e9
        assert 0.0 < stream.detector.baseline.cautious < 1.0
