"""Rules that change while answers are folded: after any crash the same answers are judged by the same rules."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest

from schemas.feedback import encode
from schemas.rules import parse
from schemas.signals import Signal
from schemas.topics import SIGNALS, STATE
from services.aggregator import records
from services.aggregator.partition import Partition
from services.aggregator.rules import Ruling
from services.aggregator.watermark import Watermark
from tests.aggregator.answers import NOW, answer
from tests.aggregator.broker import NUMBER, Broker, CrashError
from tests.aggregator.test_exactness import restart, written

RULINGS = [
    Ruling(parse(f"[drops]\nbudget_months = {budget}\nwarm_up_answers = 20\nover_days = {over}"))
    for budget, over in ((0.05, 0.5), (0.5, 0.1), (3, 1))
]


def messages(seed: int, length: int) -> list[bytes]:
    """One touchpoint, an answer a quarter of an hour, that has good and bad days."""
    random = Random(seed)
    return [
        encode(
            answer(
                f"e{number}",
                score=5 if random.random() < (0.9 if number // 100 % 2 else 0.5) else 1,
                occurred_at=NOW + timedelta(minutes=15 * number),
                received_at=NOW + timedelta(minutes=15 * number),
            )
        )
        for number in range(length)
    ]


async def fold_rest(
    messages: list[bytes], watermark: Watermark[Partition], random: Random, end: int, seen: list[int]
) -> None:
    """Fold to the end, changing rules at random, but not before the end of the log as it was at the start."""
    partition = watermark.partitions[NUMBER]
    for offset in range(partition.next, len(messages)):
        if random.random() < 0.02:
            begins, ruling = max(offset, end), random.choice(RULINGS)
            await watermark.keep([records.ruled(NUMBER, begins, ruling)])
            partition.rulings.add(begins, ruling)
        partition.apply(offset, messages[offset], 0.0)
        seen[0] = max(seen[0], offset + 1)
        now = datetime.fromtimestamp(partition.newest_received, UTC)
        if random.random() < 0.1:
            await watermark.tell(now)
        if random.random() < 0.02:
            await watermark.flush(now)
    await watermark.flush(datetime.fromtimestamp(partition.newest_received, UTC))


def stormy(messages: list[bytes], random: Random) -> tuple[Broker, int]:
    """Fold all with crashes; the broker, and how often it crashed."""
    broker, crashes, seen = Broker(random, 0.2), 0, [0]
    while broker.committed < len(messages):
        watermark = Watermark(broker, broker.commit, records)  # type: ignore[arg-type]
        watermark.replace({NUMBER: restart(broker, 0.0)})
        try:
            asyncio.run(fold_rest(messages, watermark, random, seen[0], seen))
        except CrashError:
            crashes += 1
    return broker, crashes


def by_the_rules_written_down(broker: Broker, messages: list[bytes]) -> list[Signal]:
    """What one calm fold says that goes by every ruling that was ever written."""
    partition = Partition(NUMBER, 0)
    for record in broker.records:
        kind, _, begins = record.key.decode().partition("/")
        if record.topic == STATE.name and kind == records.RULING_PREFIX and record.value:
            state = msgspec.msgpack.decode(record.value, type=records.RulingState)
            partition.rulings.add(int(begins), state.ruling)
    for offset, message in enumerate(messages):
        partition.apply(offset, message, 0.0)
    return partition.take_signals()


@pytest.mark.parametrize("seed", range(8))
def test_a_crash_does_not_judge_answers_by_other_rules(seed: int) -> None:
    answers = messages(seed, 1500)

    broker, crashes = stormy(answers, Random(seed))

    expected = by_the_rules_written_down(broker, answers)
    said = written(broker, SIGNALS.name, Signal)
    assert {msgspec.json.encode(one) for one in said} == {msgspec.json.encode(one) for one in expected}
    assert crashes > 0
    assert sum(signal.kind == "drop" for signal in expected) > 1
    written_down = [r for r in broker.records if r.key.startswith(records.RULING_PREFIX.encode())]
    assert any(record.value is None for record in written_down), "what no replay needs is forgotten"


def test_a_changed_rule_keeps_what_was_learned() -> None:
    partition = Partition(NUMBER, 0)
    for offset, message in enumerate(messages(1, 300)):
        partition.apply(offset, message, 0.0)
    (series,) = partition.series.values()
    before = msgspec.msgpack.encode(series.detector)

    partition.rulings.add(300, RULINGS[0])
    partition.turn(300)

    assert msgspec.msgpack.encode(series.detector) == before
    assert series.policy == RULINGS[0].policy_of(series.id)
    assert (series.policy.budget_months, series.policy.warm_up_answers) == (0.05, 20)
