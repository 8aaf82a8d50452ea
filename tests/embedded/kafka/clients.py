"""aiokafka clients that close themselves, set up as the services set theirs up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


@asynccontextmanager
async def producing(endpoint: str, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=endpoint, enable_idempotence=True, **options)
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(*topics: str, endpoint: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    defaults = {
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "session_timeout_ms": 6000,
        "heartbeat_interval_ms": 200,
        "rebalance_timeout_ms": 6000,
    }
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=endpoint, **(defaults | options))
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def next_records(consumer: AIOKafkaConsumer, count: int) -> list[Any]:
    """The next records, as many as asked for and no others; pytest's own timeout is the caller's patience."""
    records: list[Any] = []
    while len(records) < count:
        fetched = await consumer.getmany(timeout_ms=2000, max_records=count - len(records))
        assert fetched, f"{len(records)} of {count} records came"
        for some in fetched.values():
            records += some
    return records


async def until_longer(numbers: list[int], count: int) -> None:
    """Waits until somebody else has appended this many numbers."""
    deadline = asyncio.get_running_loop().time() + 20
    for _ in iter(lambda: len(numbers) < count, False):
        assert asyncio.get_running_loop().time() < deadline, f"{len(numbers)} of {count} sent"
        await asyncio.sleep(0.01)


async def until_assigned(consumer: AIOKafkaConsumer, count: int) -> None:
    async with asyncio.timeout(15):
        while len(consumer.assignment()) != count:
            await consumer.getmany(timeout_ms=50)
