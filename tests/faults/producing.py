"""Writes straight to feedback.events, past ingest, with the keys that ingest would use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from schemas.feedback import topic_key
from schemas.topics import EVENTS
from tests.stack import Stack

REQUEST_BYTES = 1 << 20

Message = tuple[str, bytes | None]
"""A touchpoint, and what is written with its key."""
Place = tuple[int, int]
"""Partition and offset."""


def produce(stack: Stack, messages: Sequence[Message]) -> list[Place]:
    """Write all in order and give where each went, when the broker has acknowledged all."""
    return asyncio.run(_produce(stack.url("kafka"), messages))


async def _produce(bootstrap: str, messages: Sequence[Message]) -> list[Place]:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_request_size=REQUEST_BYTES
    )
    await producer.start()
    try:
        sent = [
            await producer.send(EVENTS.name, value, topic_key("default", touchpoint))
            for touchpoint, value in messages
        ]
        return [(done.partition, done.offset) for done in await asyncio.gather(*sent)]
    finally:
        await producer.stop()
