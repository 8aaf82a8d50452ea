"""A floor: a bare aiokafka loop that decodes and counts PEERS_EVENTS messages: no windows, state or output."""

from __future__ import annotations

import uvloop
from aiokafka import AIOKafkaConsumer

from tests.bench.peers.flows.histograms import Histograms, Pace, count, report
from tests.bench.peers.flows.panes import EVENTS, setting


async def main() -> None:
    """Read that many messages from the beginning."""
    left, histograms = int(setting("EVENTS")), Histograms()
    consumer = AIOKafkaConsumer(EVENTS, bootstrap_servers=setting("BOOTSTRAP"), auto_offset_reset="earliest")
    await consumer.start()
    pace = Pace()
    while left > 0:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=1000)).values():
            for record in records:
                count(histograms, record.value)
            left -= len(records)
            pace.step(len(records))
    report(histograms, pace)
    await consumer.stop()


if __name__ == "__main__":
    uvloop.run(main())
