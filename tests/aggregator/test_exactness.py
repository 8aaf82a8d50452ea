"""The fold under crashes: after any of them, what readers of the topics see equals a plain count of the answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.feedback import Event, Replaced, decode
from schemas.rejections import DeadLetter
from schemas.scores import Pane
from schemas.signals import Signal
from schemas.topics import PANES, REJECTED, REPLACED, SIGNALS, STATE
from services.aggregator import records
from services.aggregator.baseline import ALONE
from services.aggregator.partition import Partition
from services.aggregator.watermark import Watermark
from tests.aggregator.broker import NUMBER, Broker, CrashError
from tests.aggregator.history import PaneName, panes_of, stream


def restart(broker: Broker, now: float) -> Partition:
    """A partition as a new worker restores it."""
    log = broker.state(STATE)
    partition = Partition(NUMBER, broker.committed)
    records.restore(partition, iter(log.newest.get(NUMBER, {}).items()))
    partition.rebuild_windows(int(now))
    for _, key in log.stale:
        records.mark_for_rewrite(partition, key)
    return partition


def run(messages: list[bytes], random: Random, crash_rate: float) -> tuple[Broker, int]:
    """Fold all messages with flushes, forgetting and crashes at random; the broker, and how often it crashed."""
    broker = Broker(random, crash_rate)
    crashes = 0
    now = 0.0
    while broker.committed < len(messages):
        watermark = Watermark(broker, broker.commit, records)  # type: ignore[arg-type]
        partition = restart(broker, now)
        watermark.replace({NUMBER: partition})
        try:
            now = asyncio.run(fold_rest(messages, watermark, partition, random))
        except CrashError:
            crashes += 1
    return broker, crashes


async def fold_rest(
    messages: list[bytes], watermark: Watermark[Partition], partition: Partition, random: Random
) -> float:
    """Fold from where the partition stands to the end."""
    now = 0.0
    for offset in range(partition.next, len(messages)):
        partition.apply(offset, messages[offset], 1_772_000_000.0)
        now = partition.newest_received
        if random.random() < 0.02:
            await watermark.flush(datetime.fromtimestamp(now, UTC))
        if random.random() < 0.05:
            await watermark.publish(datetime.fromtimestamp(now, UTC))
        if random.random() < 0.02:
            await watermark.tell(datetime.fromtimestamp(now, UTC))
        if random.random() < 0.01:
            partition.advance(int(now))
            partition.forget()
    await watermark.flush(datetime.fromtimestamp(now, UTC))
    return now


def visible_panes(broker: Broker) -> dict[PaneName, Counter[int]]:
    """What ClickHouse shows: of each row the highest version, segments added up."""
    newest: dict[tuple[PaneName, int], Pane] = {}
    for record in broker.records:
        if record.topic == PANES.name and record.value is not None:
            pane = msgspec.json.decode(record.value, type=Pane)
            resolution = record.key.decode().split("/")[0]
            name = ((resolution, pane.touchpoint, pane.metric, pane.pane_start), pane.segment)
            if name not in newest or newest[name].version <= pane.version:
                newest[name] = pane
    shown: dict[PaneName, Counter[int]] = {}
    for (pane_name, _), pane in newest.items():
        counts = shown.setdefault(pane_name, Counter())
        counts.update({score: n for score, n in enumerate(pane.hist) if n})
    return {name: +counts for name, counts in shown.items() if any(counts.values())}


Output = Signal | DeadLetter | Replaced


def written(
    broker: Broker, topic: str, kind: type[Signal] | type[DeadLetter] | type[Replaced]
) -> list[Output]:
    return [msgspec.json.decode(r.value, type=kind) for r in broker.records if r.topic == topic and r.value]


@pytest.mark.parametrize("crash_rate", [0.0, 0.15, 0.5])
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_counts_equal_a_plain_count_whatever_crashes(crash_rate: float, seed: int) -> None:
    messages = stream(seed, 1200)
    events = [event for event in map(decode, messages) if isinstance(event, Event)]

    broker, _ = run(messages, Random(seed), crash_rate)

    assert visible_panes(broker) == panes_of(events)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_crashes_neither_lose_nor_invent_signals_dead_letters_and_replacements(seed: int) -> None:
    messages = stream(seed, 800)

    calm, _ = run(messages, Random(seed), 0.0)
    stormy, crashes = run(messages, Random(seed), 0.4)

    assert crashes > 0
    for topic, kind in ((SIGNALS.name, Signal), (REJECTED.name, DeadLetter), (REPLACED.name, Replaced)):
        expected = {msgspec.json.encode(one) for one in written(calm, topic, kind)}
        assert {msgspec.json.encode(one) for one in written(stormy, topic, kind)} == expected
        assert expected


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_crashes_leave_detectors_and_groups_as_they_would_be(seed: int) -> None:
    messages = stream(seed, 600, days=6)

    calm, _ = run(messages, Random(seed), 0.0)
    stormy, crashes = run(messages, Random(seed), 0.4)

    assert crashes > 0
    expected, found = restart(calm, 0.0), restart(stormy, 0.0)
    assert {name: series.detector for name, series in found.series.items()} == {
        name: series.detector for name, series in expected.series.items()
    }
    assert max(found.groups.by_offset) == max(expected.groups.by_offset)
    assert {series.group for series in expected.series.values()} != {ALONE}


def test_a_long_run_lets_go_of_old_panes_and_ids() -> None:
    messages = stream(seed=7, length=6000, days=20)

    broker, _ = run(messages, Random(1), 0.05)

    partition = restart(broker, 0.0)
    forgotten = sum(r.topic == STATE.name and r.value is None for r in broker.records)
    assert forgotten > 1000
    assert len(partition.seen) < 1000
    events = [event for event in map(decode, messages) if isinstance(event, Event)]
    assert visible_panes(broker) == panes_of(events)


def test_a_stale_state_record_of_a_woken_worker_does_not_win() -> None:
    messages = stream(seed=5, length=300)
    broker, _ = run(messages, Random(5), 0.0)
    state = [r for r in broker.records if r.topic == STATE.name and r.value and r.key.startswith(b"series")]
    oldest = {r.key: r for r in reversed(state)}

    broker.records += oldest.values()
    partition = restart(broker, 0.0)

    newest = {r.key: msgspec.msgpack.decode(r.value or b"", type=records.SeriesState).detector for r in state}
    restored = {
        f"series/{'/'.join(key)}".encode(): series.detector for key, series in partition.series.items()
    }
    assert restored == newest
    assert {series.id for series in partition.unsaved.series} == set(partition.series)
