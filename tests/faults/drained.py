"""Whether every group has read and committed all there is: from then on nothing comes any more, right or wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import CUSTOMERS, EVENTS, SIGNALS, Topic
from services.aggregator.rows import SOURCES
from tests.stack import Stack, wait_for

GROUPS: tuple[tuple[str, Sequence[Topic]], ...] = (
    ("aftertouch-windows", (EVENTS,)),
    ("aftertouch-customers", (CUSTOMERS,)),
    ("aftertouch-alerts", (SIGNALS,)),
    ("aftertouch-sink", SOURCES),
)
"""Who reads what, in the order of an answer's path: each writes what the next ones read before it commits."""
LOOK_SECONDS = 0.5


class Missing(int):
    """How many are missing: false, so that it is waited on, and shown when that takes too long."""

    def __bool__(self) -> bool:
        return False


def await_drained(stack: Stack, seconds: float) -> None:
    """Wait until each group has committed the end of all its partitions."""
    pause = threading.Event()

    def drained(group: str, topics: Sequence[Topic]) -> Missing | bool:
        if (short := asyncio.run(behind(stack.url("kafka"), group, topics))) == 0:
            return True
        pause.wait(LOOK_SECONDS)
        return Missing(short)

    for group, topics in GROUPS:
        wait_for(lambda g=group, t=topics: drained(g, t), seconds, f"{group} has read everything")  # type: ignore[misc]


async def behind(bootstrap: str, group: str, topics: Sequence[Topic]) -> int:
    """How many records the group has not committed."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        wanted = [TopicPartition(topic.name, n) for topic in topics for n in range(topic.partitions)]
        consumer.assign(wanted)
        ends = await consumer.end_offsets(wanted)
        return sum([end - (await consumer.committed(tp) or 0) for tp, end in ends.items()])
    finally:
        await consumer.stop()
