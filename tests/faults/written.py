"""What stands on feedback.signals: each signal by its id, and the same however often it was written."""

from __future__ import annotations

import asyncio

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.signals import Signal
from schemas.topics import SIGNALS

READ_SECONDS = 60


def signals_of(bootstrap: str) -> dict[str, Signal]:
    """All signals; of two with one id both must be the same."""
    found: dict[str, Signal] = {}
    for value in asyncio.run(_values(bootstrap)):
        signal = msgspec.json.decode(value, type=Signal)
        assert found.setdefault(signal.id, signal) == signal
    return found


async def _values(bootstrap: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        wanted = [TopicPartition(SIGNALS.name, number) for number in range(SIGNALS.partitions)]
        consumer.assign(wanted)
        ends = await consumer.end_offsets(wanted)
        await consumer.seek_to_beginning(*wanted)
        values: list[bytes] = []
        async with asyncio.timeout(READ_SECONDS):
            while [tp for tp in wanted if await consumer.position(tp) < ends[tp]]:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    values += [record.value for record in records]
        return values
    finally:
        await consumer.stop()
