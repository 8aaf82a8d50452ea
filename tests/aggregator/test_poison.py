"""The breaker: when it trips, what it says, and that a restarted one comes to the same verdict."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.feedback import UNREADABLE
from schemas.rejections import Reason
from services.aggregator.poison import RECENT, Breaker, Policy, Trip

BAD = Reason.JSON_INVALID
IN_A_ROW, SHARE = Policy(share=1.0), Policy(in_a_row=0)


def first_trip(policy: Policy, outcomes: list[str], begin: int = 0) -> Trip | None:
    """The first trip when these outcomes come from offset 0 on; the ones before `begin` are only remembered."""
    breaker = Breaker(policy)
    for offset, outcome in enumerate(outcomes):
        if offset < begin - RECENT:
            continue
        trip = breaker.take(offset, outcome, float(offset))
        if trip and offset >= begin:
            return trip
    return None


def test_a_hundred_in_a_row_trip_it_and_ninety_nine_do_not() -> None:
    trip = first_trip(IN_A_ROW, ["counted"] * 7 + [BAD] * 100)

    assert trip is not None
    assert (trip.rule, trip.count, trip.first.offset, trip.offset) == ("in_a_row", 100, 7, 106)
    assert first_trip(IN_A_ROW, [BAD] * 99 + ["counted"] + [BAD] * 99) is None


def test_more_than_five_percent_of_the_last_thousand_trip_it() -> None:
    mixture = ["counted"] * 19 + [BAD]

    assert first_trip(SHARE, mixture * 200) is None
    trip = first_trip(SHARE, mixture * 50 + [BAD])
    assert trip is not None
    assert (trip.rule, trip.count, trip.offset) == ("share", 51, 1000)


def test_a_share_is_of_at_least_a_thousand() -> None:
    assert first_trip(SHARE, [BAD] * 99 + ["counted"] * 5000) is None
    assert first_trip(SHARE, [BAD] * 999) is None
    assert first_trip(SHARE, [BAD] * 1000) is not None


def test_poison_that_has_passed_trips_nothing_while_good_answers_come() -> None:
    outcomes = [BAD] * 500 + ["counted"] * 10

    assert first_trip(Policy(), outcomes, begin=500) is None


@pytest.mark.parametrize("policy", [Policy(in_a_row=0, share=1.0)])
def test_it_can_be_told_to_let_everything_pass(policy: Policy) -> None:
    assert first_trip(policy, [BAD] * 5000) is None


def test_answers_that_are_only_untimely_or_repeated_are_no_poison() -> None:
    fine = [Reason.TOO_LATE, Reason.IN_THE_FUTURE, Reason.CONFLICTING_DUPLICATE, "duplicate", "replayed"]

    assert first_trip(Policy(), fine * 1000) is None
    assert {*fine, Reason.ROW_REFUSED} & UNREADABLE == set()


def test_it_says_what_happened_where_and_what_to_do() -> None:
    outcomes = ["counted", *[Reason.FIELD_MISSING] * 40, *[BAD] * 60]
    trip = first_trip(Policy(), outcomes)

    assert trip is not None
    assert trip.sentence(3) == (
        "100 messages in a row of partition 3 of feedback.events cannot be read, beginning at offset 1 "
        "(1970-01-01T00:00:01+00:00), most often json_invalid (is not valid UTF-8 JSON): a sender is broken. "
        "Nothing from offset 100 on was taken, and nothing is lost. Fix or stop the sender; to go on anyway set "
        "AGGREGATOR_POISON_IN_A_ROW=0 until they are passed: they go to feedback.rejected, and "
        "`aftertouch replay-rejected` puts repaired ones back"
    )


@given(st.integers(0, 2**32), st.floats(0.01, 0.2), st.integers(3, 100))
def test_a_restart_anywhere_before_trips_at_the_same_offset(seed: int, share: float, run: int) -> None:
    random = Random(seed)
    policy = Policy(in_a_row=run, share=share)
    outcomes: list[str] = []
    while len(outcomes) < 3000:
        outcomes += ["counted"] * random.randrange(int(3 / share))
        outcomes += [BAD] * random.choice([1, 1, 2, random.randrange(1, run + 1)])
    trip = first_trip(policy, outcomes)

    for _ in range(5):
        began = random.randrange(trip.offset + 1) if trip else random.randrange(3000)
        again = first_trip(policy, outcomes, began)
        assert (again and (again.offset, again.rule, again.reason)) == (
            trip and (trip.offset, trip.rule, trip.reason)
        )
