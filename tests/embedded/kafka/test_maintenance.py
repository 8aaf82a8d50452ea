"""Retention and compaction by the clock of the embedded broker, which here looks five times a second."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.embedded.kafka.clients import consuming, next_records, producing
from tests.embedded.kafka.process import BrokerProcess, until
from tests.embedded.kafka.wire import Wire, batch


async def _create(broker: BrokerProcess, topic: str, **configs: str) -> None:
    settings = {key.replace("_", "."): value for key, value in configs.items()}
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.endpoint)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=settings)])
    await admin.close()


async def _read(broker: BrokerProcess, topic: str) -> list[Any]:
    """Everything from the log's start to its end."""
    async with consuming(topic, endpoint=broker.endpoint) as consumer:
        partition = TopicPartition(topic, 0)
        end = (await consumer.end_offsets([partition]))[partition]
        records: list[Any] = []
        while await consumer.position(partition) < end:
            records += await next_records(consumer, 1)
        return records


async def _until_read(broker: BrokerProcess, topic: str, wanted: Callable[[list[Any]], bool]) -> list[Any]:
    async with asyncio.timeout(10):
        while not wanted(records := await _read(broker, topic)):
            pass
    return records


def _batches_on_disk(broker: BrokerProcess) -> int:
    connection = sqlite3.connect(broker.data / "log.sqlite")
    ((count,),) = connection.execute("SELECT count(*) FROM batches").fetchall()
    connection.close()
    return int(count)


async def _send_rounds(producer: AIOKafkaProducer, topic: str, rounds: int) -> None:
    """Each round is a batch that gives keys 0-9 a new value."""
    for value in range(rounds):
        for key in range(10):
            await producer.send(topic, b"%d" % value, key=b"%d" % key)
        await producer.flush()


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_compaction_keeps_the_latest_of_each_key(broker: BrokerProcess, codec: str | None) -> None:
    await _create(broker, "t", cleanup_policy="compact")
    async with producing(broker.endpoint, compression_type=codec) as producer:
        await _send_rounds(producer, "t", 5)
        await producer.send_and_wait("t", b"last", key=b"end", headers=[("h", b"1")])
    records = await _until_read(broker, "t", lambda records: len(records) == 11)
    assert [each.offset for each in records] == [*range(40, 51)]
    assert {each.key: each.value for each in records[:10]} == {b"%d" % key: b"4" for key in range(10)}
    assert (records[10].value, records[10].headers) == (b"last", (("h", b"1"),))


async def test_compacted_log_goes_on_after_a_restart(broker: BrokerProcess) -> None:
    await _create(broker, "t", cleanup_policy="compact")
    async with producing(broker.endpoint) as producer:
        await _send_rounds(producer, "t", 3)
    await _until_read(broker, "t", lambda records: len(records) == 10)
    assert broker.stop() == 0
    broker.start()
    async with producing(broker.endpoint) as producer:
        assert (await producer.send_and_wait("t", b"x", key=b"new")).offset == 30
    assert [each.offset for each in await _read(broker, "t")] == [*range(20, 31)]


async def test_compaction_leaves_young_records(broker: BrokerProcess) -> None:
    await _create(broker, "t", cleanup_policy="compact", min_compaction_lag_ms="60000")
    await _create(broker, "witness", cleanup_policy="compact")
    old = int(time.time() * 1000) - 120_000
    async with producing(broker.endpoint) as producer:
        for value in range(3):
            await producer.send_and_wait("t", b"%d" % value, key=b"old", timestamp_ms=old)
        await _send_rounds(producer, "t", 3)
        await _send_rounds(producer, "witness", 3)
    await _until_read(broker, "witness", lambda records: len(records) == 10)
    records = await _until_read(broker, "t", lambda records: len(records) == 31)
    assert records[0].value == b"2"


async def test_tombstones_go_after_their_time(broker: BrokerProcess) -> None:
    await _create(broker, "t", cleanup_policy="compact", delete_retention_ms="3000")
    async with producing(broker.endpoint) as producer:
        await producer.send_and_wait("t", b"value", key=b"gone")
        await producer.send_and_wait("t", None, key=b"gone")
        await producer.send_and_wait("t", b"end", key=b"end")
    records = await _until_read(broker, "t", lambda records: len(records) < 3)
    assert [(each.key, each.value) for each in records] == [(b"gone", None), (b"end", b"end")]
    records = await _until_read(broker, "t", lambda records: len(records) < 2)
    assert [each.key for each in records] == [b"end"]


async def test_old_records_go(broker: BrokerProcess) -> None:
    await _create(broker, "t", retention_ms="60000")
    now = int(time.time() * 1000)
    with Wire(broker.endpoint) as wire:
        for _ in range(700):
            wire.produce("t", batch(b"old", timestamp=now - 120_000))
        wire.produce("t", batch(b"young", timestamp=now))
        until(lambda: _batches_on_disk(broker) == 1)
        assert wire.fetch("t", 0).error_code == 1
        assert wire.fetch("t", 700).log_start_offset == 700
    assert [each.value for each in await _read(broker, "t")] == [b"young"]


async def test_offsets_go_on_when_all_records_are_gone(broker: BrokerProcess) -> None:
    await _create(broker, "t", retention_ms="60000")
    with Wire(broker.endpoint) as wire:
        wire.produce("t", batch(b"old", b"older", timestamp=1))
        until(lambda: _batches_on_disk(broker) == 0)
    broker.kill()
    broker.start()
    with Wire(broker.endpoint) as wire:
        assert wire.produce("t", batch(b"next", timestamp=int(time.time() * 1000))) == (0, 2)


async def test_log_keeps_to_its_size(broker: BrokerProcess) -> None:
    await _create(broker, "t", retention_bytes="10000", retention_ms="-1")
    with Wire(broker.endpoint) as wire:
        for _ in range(30):
            wire.produce("t", batch(bytes(1000)))
        until(lambda: _batches_on_disk(broker) == 10)
        assert wire.fetch("t", 20).log_start_offset == 20


async def test_deleted_topic_leaves_the_disk(broker: BrokerProcess) -> None:
    await _create(broker, "t")
    await _create(broker, "other")
    with Wire(broker.endpoint) as wire:
        for topic in ["t"] * 600 + ["other"]:
            wire.produce(topic, batch(b"x", timestamp=int(time.time() * 1000)))
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.endpoint)
    await admin.start()
    await admin.delete_topics(["t"])
    await admin.close()
    until(lambda: _batches_on_disk(broker) == 1)
    assert len(await _read(broker, "other")) == 1
