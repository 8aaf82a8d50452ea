"""The aggregator's yardstick: aiokafka reads feedback.events and msgspec decodes each message, nothing more.

`python -m tests.bench.bare_consumer BOOTSTRAP COUNT` prints its CPU and wall seconds.
"""

from __future__ import annotations

import sys
import time

import uvloop
from aiokafka import AIOKafkaConsumer

from schemas.feedback import decode
from schemas.topics import EVENTS


async def consume(bootstrap: str, count: int) -> None:
    """Read that many messages from the beginning."""
    consumer = AIOKafkaConsumer(EVENTS.name, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    cpu, wall = time.process_time(), time.perf_counter()
    while count > 0:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=1000)).values():
            for record in records:
                decode(record.value)
            count -= len(records)
    print(time.process_time() - cpu, time.perf_counter() - wall)
    await consumer.stop()


if __name__ == "__main__":
    uvloop.run(consume(sys.argv[1], int(sys.argv[2])))
