"""One customer's answers: when a bad contact is a repeated one, and when a good answer ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.customers import CustomerAnswer
from schemas.signals import Signal
from services.aggregator.contacts import MOST_CONTACTS, Customer
from tests.aggregator.contacts import WITHIN, customer_answer

DAY = timedelta(days=1)


def signals(*answers: CustomerAnswer) -> list[Signal | None]:
    """What each answer of one customer says."""
    customer = Customer()
    return [customer.take(answer, WITHIN) for answer in answers]


def kinds(*answers: CustomerAnswer) -> list[str]:
    return [signal.kind if signal else "" for signal in signals(*answers)]


def test_the_second_bad_contact_is_told_with_the_first() -> None:
    first = customer_answer(1, 1, touchpoint="chat", agent="ewa", team="sales")
    second = customer_answer(2, 6, 2 * DAY, touchpoint="shop", metric="nps")

    _, signal = signals(first, second)

    assert signal is not None
    assert (signal.kind, signal.touchpoint, signal.contact) == ("repeat_bad_contact", "shop", second.contact)
    assert signal.id == signal.incident == "repeat_bad_contact/shop/e2"
    (past,) = signal.history
    assert (past.touchpoint, past.metric, past.score, past.agent, past.team) == (
        "chat",
        "csat",
        1,
        "ewa",
        "sales",
    )
    assert (past.occurred_at, past.event_id) == (first.contact.occurred_at, "e1")


@pytest.mark.parametrize(("gap", "repeated"), [(WITHIN, True), (WITHIN + timedelta(seconds=1), False)])
def test_a_bad_contact_long_after_another_is_a_first_one(gap: timedelta, repeated: bool) -> None:
    assert kinds(customer_answer(1, 1), customer_answer(2, 1, gap)) == [
        "",
        "repeat_bad_contact" if repeated else "",
    ]


def test_a_bad_contact_that_arrives_late_repeats_the_one_after_it() -> None:
    _, signal = signals(customer_answer(2, 1, DAY), customer_answer(1, 2, late=2 * DAY))

    assert signal is not None
    assert (signal.contact.event_id, [past.event_id for past in signal.history]) == ("e1", ["e2"])


def test_the_first_good_answer_says_how_long_it_took_and_the_next_says_nothing() -> None:
    _, recovered, again = signals(
        customer_answer(1, 2), customer_answer(2, 5, 3 * DAY), customer_answer(3, 5, 4 * DAY)
    )

    assert recovered is not None
    assert (recovered.kind, recovered.took_seconds) == ("recovered", 3 * 86_400)
    assert recovered.incident == "bad_contact/chat/e1"
    assert again is None


def test_a_good_answer_ends_the_incident_of_all_repeated_ones() -> None:
    said = signals(
        customer_answer(1, 1),
        customer_answer(2, 1, DAY),
        customer_answer(3, 1, 2 * DAY),
        customer_answer(4, 5, 3 * DAY),
        customer_answer(5, 1, 4 * DAY),
    )

    second, third, recovered, fourth = [signal for signal in said if signal]
    assert second.incident == third.incident == recovered.incident != third.id
    assert [past.event_id for past in recovered.history] == ["e1", "e2", "e3"]
    assert recovered.took_seconds == 3 * 86_400
    assert (fourth.kind, fourth.incident) == ("repeat_bad_contact", fourth.id)
    assert len(fourth.history) == 3


@pytest.mark.parametrize("answer", [customer_answer(2, 3, DAY), customer_answer(2, 8, DAY, metric="nps")])
def test_an_answer_that_is_neither_says_nothing(answer: CustomerAnswer) -> None:
    assert kinds(customer_answer(1, 1), answer, customer_answer(3, 5, 2 * DAY)) == ["", "", "recovered"]


def test_a_good_answer_of_before_the_bad_contact_does_not_end_it() -> None:
    assert kinds(customer_answer(2, 1, DAY), customer_answer(1, 5, late=2 * DAY)) == ["", ""]


def test_a_change_of_mind_neither_repeats_nor_ends_the_contact() -> None:
    first = customer_answer(1, 1, interaction_id="i")

    assert kinds(first, customer_answer(2, 2, DAY, interaction_id="i")) == ["", ""]
    assert kinds(first, customer_answer(2, 5, DAY, interaction_id="i")) == ["", ""]


def test_a_contact_that_was_taken_back_is_no_second_one() -> None:
    first = customer_answer(1, 1, interaction_id="i")
    better = customer_answer(2, 5, DAY, interaction_id="i")

    assert kinds(first, better, customer_answer(3, 1, 2 * DAY)) == ["", "", ""]


def test_the_same_interaction_at_another_touchpoint_is_another_contact() -> None:
    here = customer_answer(1, 1, interaction_id="i")
    there = customer_answer(2, 1, DAY, interaction_id="i", touchpoint="shop")

    assert kinds(here, there) == ["", "repeat_bad_contact"]


def test_no_more_than_the_latest_are_remembered() -> None:
    customer = Customer()
    for number in range(MOST_CONTACTS + 5):
        customer.take(customer_answer(number, 1, number * timedelta(hours=1)), WITHIN)

    assert [one.past.event_id for one in customer.contacts] == [f"e{n}" for n in range(5, MOST_CONTACTS + 5)]
