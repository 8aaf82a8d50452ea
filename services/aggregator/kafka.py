"""The workers' own Kafka clients beside Faust's: writing with awaited acknowledgements, reading state back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.topics import STATE, Topic
from services.aggregator.records import Record, version_of

READ_DEADLINE_SECONDS = 120
AT_THE_END_MS = 20
"""So long a broker holds a fetch back at the end of a partition, and with it the next request of that connection."""
RETRY_SECONDS = 2

log = structlog.get_logger()


async def wait_for_kafka(bootstrap: str) -> None:
    """Return when a broker answers. Faust would end the worker if none did, and the supervisor give up on it."""
    while True:
        client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            await client.start()
            return
        except (KafkaError, OSError) as error:
            log.warning("waiting for Kafka", bootstrap=bootstrap, error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            await client.close()


class Packed(NamedTuple):
    """A batch of records of one partition of a topic."""

    topic: str
    partition: int
    batch: BatchBuilder


class RecordWriter:
    """Writes records and returns when the broker has all of them on disk."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect, once. Raises KafkaError when no broker answers."""
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                enable_idempotence=True,
                acks="all",
                max_batch_size=256 * 1024,
                max_request_size=8 * 1024 * 1024,
                request_timeout_ms=30_000,
            )
            await self._producer.start()

    async def stop(self) -> None:
        """Disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    def pack(self, records: Iterable[Record]) -> list[Packed]:
        """The records as they will travel: whole batches cost a fifth of sending one by one, and little memory."""
        batches: list[Packed] = []
        open_batches: dict[tuple[str, int], BatchBuilder] = {}
        for record in records:
            where = (record.topic, record.partition)
            batch = open_batches.get(where)
            if batch is None or batch.append(timestamp=None, key=record.key, value=record.value) is None:
                batch = open_batches[where] = self._started().create_batch()
                batches.append(Packed(*where, batch))
                batch.append(timestamp=None, key=record.key, value=record.value)
        for one in batches:
            one.batch.close()
        return batches

    async def send(self, packed: Iterable[Packed]) -> None:
        """Send all, then await all acknowledgements. Raises KafkaError when one of them fails."""
        sent = [
            await self._started().send_batch(one.batch, one.topic, partition=one.partition) for one in packed
        ]
        await asyncio.gather(*sent)

    async def write(self, records: Iterable[Record]) -> None:
        """Pack and send."""
        await self.send(self.pack(records))

    def _started(self) -> AIOKafkaProducer:
        assert self._producer is not None, "write after start"
        return self._producer


class Positions(NamedTuple):
    """Where a group goes on reading a partition, the first offset that is still in its log, and the next to come."""

    committed: int
    first: int
    end: int

    @property
    def start(self) -> int:
        """Where there is still something to read on from."""
        return max(self.committed, self.first)


async def committed_positions(
    bootstrap: str, group: str, partitions: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], Positions]:
    """Positions by (topic, partition). Without a commit a group begins where the log begins."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        wanted = [TopicPartition(*partition) for partition in partitions]
        consumer.assign(wanted)
        first = await consumer.beginning_offsets(wanted)
        end = await consumer.end_offsets(wanted)
        committed = {tp: await consumer.committed(tp) for tp in wanted}
        return {
            tuple(tp): Positions(first[tp] if (at := committed[tp]) is None else at, first[tp], end[tp])
            for tp in wanted
        }
    finally:
        await consumer.stop()


class StateLog:
    """The newest records of partitions of a state topic, and the keys whose last record is not the newest."""

    def __init__(self) -> None:
        self.newest: dict[int, dict[bytes, bytes]] = {}
        self.stale: set[tuple[int, bytes]] = set()

    def take_record(self, record: ConsumerRecord) -> None:
        """Read one record as Kafka has it."""
        self.take(record.partition, record.key, record.value)

    def take(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Read one record: the highest version wins, a tombstone forgets."""
        records = self.newest.setdefault(partition, {})
        if value is None:
            records.pop(key, None)
            self.stale.discard((partition, key))
            return
        kept = records.get(key)
        if kept is not None and version_of(kept) > version_of(value):
            self.stale.add((partition, key))
            return
        records[key] = value
        self.stale.discard((partition, key))


async def read_state(
    bootstrap: str, partitions: Iterable[int], topic: Topic = STATE
) -> AsyncIterator[tuple[int, StateLog]]:
    """Read these partitions of a state topic to their present end, one by one: only one is in memory at a time.

    Raises TimeoutError when an end never comes.
    """
    consumer = _reader(bootstrap)
    await consumer.start()
    try:
        for number in partitions:
            log, tp = StateLog(), TopicPartition(topic.name, number)
            consumer.assign([tp])
            ends = await consumer.end_offsets([tp])
            await consumer.seek_to_beginning(tp)
            await _read_until(consumer, ends, log.take_record)
            yield number, log
    finally:
        await consumer.stop()


async def read_before(
    bootstrap: str,
    topic: str,
    positions: Mapping[int, Positions],
    count: int,
    take: Callable[[ConsumerRecord], None],
) -> None:
    """Give `take` up to `count` records before each partition's committed offset, each partition's in order.

    Raises TimeoutError when they never come.
    """
    ends = {TopicPartition(topic, n): at.committed for n, at in positions.items() if at.committed > at.first}
    if not ends:
        return  # aiokafka's fetcher never rests when it is assigned nothing
    consumer = _reader(bootstrap)
    await consumer.start()
    try:
        consumer.assign(list(ends))
        for tp, end in ends.items():
            consumer.seek(tp, max(positions[tp.partition].first, end - count))
        await _read_until(consumer, ends, take)
    finally:
        await consumer.stop()


def _reader(bootstrap: str) -> AIOKafkaConsumer:
    """Of no group, for partitions that are read up to a known end."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=AT_THE_END_MS,
    )


async def _read_until(
    consumer: AIOKafkaConsumer,
    ends: Mapping[TopicPartition, int],
    take: Callable[[ConsumerRecord], None],
) -> None:
    async with asyncio.timeout(READ_DEADLINE_SECONDS):
        while behind := [tp for tp, end in ends.items() if await consumer.position(tp) < end]:
            for tp, records in (await consumer.getmany(*behind, timeout_ms=500)).items():
                for record in records:
                    if record.offset < ends[tp]:
                        take(record)
