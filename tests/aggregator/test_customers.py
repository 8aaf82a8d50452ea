"""The customers' fold under repeats, late answers and crashes: the signals are those of the definition, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.customers import CustomerAnswer
from schemas.feedback import LATE_LIMIT, Event, decode, encode
from schemas.signals import Signal
from schemas.topics import CUSTOMER_STATE, CUSTOMERS, SIGNALS
from services.aggregator import customer_records
from services.aggregator.customers import CustomersPartition
from services.aggregator.watermark import Watermark
from tests.aggregator.broker import NUMBER, Broker, CrashError
from tests.aggregator.contacts import (
    NOW,
    WITHIN,
    Said,
    customer_answer,
    expected,
    random_answers,
    said,
    with_repeats,
)
from tests.aggregator.history import stream
from tests.aggregator.test_exactness import run as run_windows

_json = msgspec.json.encode
CUSTOMERS_OF_A_STREAM = 150


def fresh(next_offset: int = 0) -> CustomersPartition:
    return CustomersPartition(NUMBER, next_offset, WITHIN)


def folded(answers: Sequence[CustomerAnswer]) -> CustomersPartition:
    partition = fresh()
    for offset, answer in enumerate(answers):
        partition.apply(offset, _json(answer))
    return partition


def restored(broker: Broker) -> CustomersPartition:
    """A partition as a new worker restores it."""
    log = broker.state(CUSTOMER_STATE)
    partition = fresh(broker.committed)
    customer_records.restore(partition, iter(log.newest.get(NUMBER, {}).items()))
    for _, key in log.stale:
        customer_records.mark_for_rewrite(partition, key)
    return partition


def run(messages: Sequence[bytes], random: Random, crash_rate: float) -> tuple[Broker, int]:
    """Fold all messages with flushes, forgetting and crashes at random; the broker, and how often it crashed."""
    broker, crashes = Broker(random, crash_rate), 0
    while broker.committed < len(messages):
        watermark = Watermark(broker, broker.commit, customer_records)  # type: ignore[arg-type]
        partition = restored(broker)
        watermark.replace({NUMBER: partition})
        try:
            asyncio.run(fold_rest(messages, watermark, partition, random))
        except CrashError:
            crashes += 1
    return broker, crashes


async def fold_rest(
    messages: Sequence[bytes],
    watermark: Watermark[CustomersPartition],
    partition: CustomersPartition,
    random: Random,
) -> None:
    """Fold from where the partition stands to the end."""
    for offset in range(partition.next, len(messages)):
        partition.apply(offset, messages[offset])
        if random.random() < 0.05:
            await watermark.flush(NOW)
        if random.random() < 0.1:
            await watermark.tell(NOW)
        if random.random() < 0.05:
            partition.forget()
    await watermark.flush(NOW)


def signals(broker: Broker) -> dict[str, Signal]:
    """The signals that were written, by id; what was written again must be the same."""
    found: dict[str, Signal] = {}
    for record in broker.records:
        if record.topic == SIGNALS.name and record.value:
            signal = msgspec.json.decode(record.value, type=Signal)
            assert found.setdefault(signal.id, signal) == signal
    return found


def all_said(broker: Broker) -> list[Said]:
    return sorted(said(one) for one in signals(broker).values())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_signals_are_those_of_the_definition(seed: int) -> None:
    random = Random(seed)
    answers = random_answers(random, 60)

    partition = folded(with_repeats(random, answers))

    noticed = partition.take_signals()
    assert [said(signal) for signal in noticed] == expected(answers)
    assert len({signal.id for signal in noticed}) == len(noticed)


@pytest.mark.parametrize("crash_rate", [0.0, 0.2, 0.5])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_each_signal_exists_once_whatever_crashes(crash_rate: float, seed: int) -> None:
    random = Random(seed)
    answers = random_answers(random, 150)
    messages = [_json(answer) for answer in with_repeats(random, answers)]

    broker, _ = run(messages, random, crash_rate)

    assert all_said(broker) == sorted(expected(answers))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_crashes_of_both_workers_neither_lose_nor_invent_signals(seed: int) -> None:
    messages = [named(message) for message in stream(seed, 500, days=40)]

    calm, _ = run_windows(messages, Random(seed), 0.0)
    stormy, crashes = run_windows(messages, Random(seed), 0.4)

    assert crashes > 0
    truth = {number: expected(answers) for number, answers in by_partition(calm).items()}
    assert any(truth.values())
    for number, answers in by_partition(stormy).items():
        broker, _ = run([_json(answer) for answer in answers], Random(seed), 0.3)
        assert all_said(broker) == sorted(truth[number])
    assert by_partition(stormy).keys() == truth.keys()


def named(message: bytes) -> bytes:
    """The message with a customer, the same for the same id."""
    event = decode(message)
    if not isinstance(event, Event):
        return message
    return encode(replace(event, customer_id=f"c{int(event.event_id[1:]) % CUSTOMERS_OF_A_STREAM}"))


def by_partition(broker: Broker) -> dict[int, list[CustomerAnswer]]:
    """What the windows worker wrote to each partition of feedback.customers."""
    found: dict[int, list[CustomerAnswer]] = {}
    for record in broker.records:
        if record.topic == CUSTOMERS.name and record.value:
            answer = msgspec.json.decode(record.value, type=CustomerAnswer)
            found.setdefault(record.partition, []).append(answer)
    return found


def test_only_live_answers_of_named_customers_are_written() -> None:
    messages = [named(message) for message in stream(11, 300)]
    unnamed = stream(12, 300)

    counted, _ = run_windows(messages, Random(1), 0.0)
    nobody, _ = run_windows(unnamed, Random(1), 0.0)

    events = {e.event_id: e for e in map(decode, messages) if isinstance(e, Event)}
    written = [answer for answers in by_partition(counted).values() for answer in answers]
    assert 0 < len(written) < len(events)
    assert not any(events[answer.contact.event_id].imported for answer in written)
    assert by_partition(nobody) == {}


def test_old_bad_contacts_leave_memory_and_state() -> None:
    partition = folded([customer_answer(1, 1), customer_answer(2, 5, WITHIN + LATE_LIMIT, customer_id="c2")])
    partition.take_unsaved()
    partition.note_commit(2)

    partition.forget()
    assert len(partition.customers) == 1
    partition.apply(2, _json(customer_answer(3, 5, WITHIN + LATE_LIMIT + timedelta(1), customer_id="c2")))
    partition.forget()
    assert len(partition.customers) == 1, "a replay may begin before this answer"
    partition.take_unsaved()
    partition.note_commit(3)
    partition.forget()

    assert partition.customers == {}
    tombstones = [record.key for record in customer_records.state(partition) if record.value is None]
    assert b"customer/default/c1" in tombstones


def test_good_answers_of_happy_customers_leave_nothing() -> None:
    partition = folded([customer_answer(n, 5, customer_id=f"c{n}") for n in range(1000)])

    assert partition.customers == {}
    assert len(list(customer_records.state(partition))) == 1


def test_what_cannot_be_read_is_left_out() -> None:
    partition = fresh()

    assert [partition.apply(at, value) for at, value in enumerate([None, b"", b"{}", b"\xff"])] == [
        "unreadable"
    ] * 4
    assert partition.next == 4


def test_customers_whose_ids_have_slashes_are_restored() -> None:
    answers = [customer_answer(1, 1, customer_id="a/b"), customer_answer(2, 1, customer_id="ł 1")]
    broker, _ = run([_json(answer) for answer in answers], Random(1), 0.0)

    assert restored(broker).customers.keys() == {("default", "a/b"), ("default", "ł 1")}
