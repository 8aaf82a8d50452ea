"""A floor: a bare confluent-kafka loop that decodes and counts PEERS_EVENTS messages: no windows, state or output."""

from __future__ import annotations

from confluent_kafka import Consumer

from tests.bench.peers.flows.histograms import Histograms, Pace, count, report
from tests.bench.peers.flows.panes import EVENTS, setting


def main() -> None:
    """Read that many messages from the beginning."""
    left, histograms = int(setting("EVENTS")), Histograms()
    settings = {
        "bootstrap.servers": setting("BOOTSTRAP"),
        "group.id": setting("OUTPUT"),
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer(settings)
    consumer.subscribe([EVENTS])
    pace = Pace()
    while left > 0:
        messages = consumer.consume(1000, 1.0)
        for message in messages:
            count(histograms, message.value())
        left -= len(messages)
        pace.step(len(messages))
    report(histograms, pace)
    consumer.close()


if __name__ == "__main__":
    main()
