"""Reads all of topic feedback.rejected, and puts answers back onto feedback.events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from deploy.replay.letters import Pile
from deploy.up.failure import Failure
from schemas.feedback import Event, encode, topic_key
from schemas.topics import EVENTS, REJECTED

SILENCE_SECONDS = 20.0
"""How long Kafka may bring nothing before we say so."""
LOT = 500


@asynccontextmanager
async def _reached(bootstrap: str) -> AsyncIterator[None]:
    """Says it in one sentence when Kafka does not answer."""
    try:
        yield
    except (KafkaError, TimeoutError, OSError) as error:
        raise Failure(
            f"Kafka at {bootstrap} does not answer ({type(error).__name__}): start it with `aftertouch up`, or say "
            "where it is with KAFKA_BOOTSTRAP. What is not yet replayed can be replayed later."
        ) from None


async def read_all(bootstrap: str, pile: Pile) -> None:
    """Give every message that is now on feedback.rejected to the pile. Raises Failure."""
    async with _reached(bootstrap):
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
            if REJECTED.name not in await consumer.topics():
                raise Failure(f"Topic {REJECTED.name} is missing: make it with `aftertouch provision`.")
            await _read(
                consumer,
                [TopicPartition(REJECTED.name, number) for number in range(REJECTED.partitions)],
                pile,
            )
        finally:
            await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], pile: Pile) -> None:
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    await consumer.seek_to_beginning(*partitions)
    while behind := [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
        async with asyncio.timeout(SILENCE_SECONDS):
            while not (found := await consumer.getmany(*behind, timeout_ms=500)):
                pass
        for records in found.values():
            for record in records:
                pile.take(record.partition, record.key, record.value)


async def put_back(
    bootstrap: str, ready: Mapping[str, tuple[Event, int]], put: Callable[[int], None]
) -> None:
    """Publish these answers, each lot acknowledged before its letters are marked as done. Raises Failure.

    `put` is told how many were acknowledged.
    """
    async with _reached(bootstrap):
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all")
        try:
            await producer.start()
            letters = list(ready.items())
            for begin in range(0, len(letters), LOT):
                lot = letters[begin : begin + LOT]
                events = [event for _, (event, _) in lot]
                await asyncio.gather(*[await _publish(producer, event) for event in events])
                put(len(lot))
                await asyncio.gather(*[await _mark(producer, key, at) for key, (_, at) in lot])
        finally:
            await producer.stop()


async def _publish(producer: AIOKafkaProducer, event: Event) -> asyncio.Future[object]:
    acknowledgement: asyncio.Future[object] = await producer.send(
        EVENTS.name, encode(event), topic_key(event.workspace, event.touchpoint)
    )
    return acknowledgement


async def _mark(producer: AIOKafkaProducer, key: str, partition: int) -> asyncio.Future[object]:
    acknowledgement: asyncio.Future[object] = await producer.send(
        REJECTED.name, None, key.encode(), partition=partition
    )
    return acknowledgement
