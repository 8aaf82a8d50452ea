"""The messages every contender gets, and the ledger that says what they have to make of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from aiokafka import AIOKafkaProducer
from msgspec import Struct

from schemas.feedback import Event, encode, topic_key
from schemas.scoring import SCALES, Metric
from schemas.topics import EVENTS
from tests.bench.scores import usual_score

SPAN = timedelta(minutes=20)
"""Event time that a load covers: the 5 min window rolls, the others still hold everything when all is read."""
SHARES: tuple[Metric, ...] = ("csat", "ces")
"""The metrics whose score is a share, which is what everyone computes. A touchpoint has one of them."""
WARM_TOUCHPOINTS = 48
"""One answer of each makes a contender show that it is ready, on nearly every partition."""
BATCH = 10

Key = str
"""'touchpoint/metric'."""


class Ledger(Struct):
    """Answers and good answers by key and minute, as sent."""

    minutes: dict[Key, dict[int, list[int]]] = {}
    events: int = 0

    def note(self, event: Event) -> Key:
        """Take in an answer."""
        key = f"{event.touchpoint}/{event.metric}"
        minute = int(event.occurred_at.timestamp()) // 60
        counts = self.minutes.setdefault(key, {}).setdefault(minute, [0, 0])
        counts[0] += 1
        counts[1] += event.score >= SCALES[event.metric].top_from
        self.events += 1
        return key

    def count(self, key: Key) -> int:
        """Answers to a key."""
        return sum(n for n, _ in self.minutes[key].values())

    def window(self, key: Key, minutes: int) -> tuple[int, float]:
        """Answers and their share of good ones in the minutes that end with the key's newest."""
        panes = self.minutes[key]
        inside = [counts for minute, counts in panes.items() if minute > max(panes) - minutes]
        n = sum(counts[0] for counts in inside)
        return n, 100 * sum(counts[1] for counts in inside) / n


def answers(count: int, touchpoints: int, start: datetime) -> Iterator[Event]:
    """Answers that go round the touchpoints in an order without pattern, evenly over SPAN."""
    random, order = Random(1), list(range(touchpoints))
    random.shuffle(order)
    for number in range(count):
        yield answer(random, number, order[number % touchpoints], start + SPAN * number / count)


def answer(random: Random, number: int, touchpoint: int, at: datetime, kind: str = "t") -> Event:
    """One answer of about 300 bytes."""
    metric = SHARES[touchpoint % 2]
    return Event(
        workspace="default",
        touchpoint=f"{kind}{touchpoint}",
        metric=metric,
        score=usual_score(random, metric),
        event_id=f"{number}-{random.getrandbits(48):x}",
        occurred_at=at,
        received_at=at,
        customer_id=f"c{random.randrange(10**5)}",
        comment="It took a while, but they solved it." if number % 3 == 0 else "",
    )


def warming() -> Iterator[Event]:
    """The first answers of a topic, older than all others: nobody's stream time runs ahead of the load."""
    random, at = Random(0), datetime.now(UTC) - SPAN - timedelta(minutes=5)
    return (answer(random, -1 - number, number, at, "warm") for number in range(WARM_TOUCHPOINTS))


def producer(bootstrap: str) -> AIOKafkaProducer:
    """As ingest has it."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=1 << 18
    )


async def send(sender: AIOKafkaProducer, event: Event) -> None:
    """Hand one answer to the producer."""
    await sender.send(EVENTS.name, encode(event), topic_key(event.workspace, event.touchpoint))


async def produce(bootstrap: str, events: Iterator[Event], ledger: Ledger) -> None:
    """Put answers on the topic, and return when all are acknowledged."""
    sender = producer(bootstrap)
    await sender.start()
    for event in events:
        ledger.note(event)
        await send(sender, event)
    await sender.stop()


async def produce_paced(
    bootstrap: str, rate: int, seconds: int, touchpoints: int, sent: dict[tuple[Key, int], float]
) -> None:
    """Put `rate` answers a second on the topic, in batches of ten.

    Notes in `sent` when each was handed to the producer, by its key and how many the key has had with it.
    """
    random, ledger, loop = Random(2), Ledger(), asyncio.get_running_loop()
    sender = producer(bootstrap)
    await sender.start()
    started = loop.time()
    for number in range(rate * seconds):
        if number % BATCH == 0:
            await _until(started + number / rate)
        event = answer(random, number, number % touchpoints, datetime.now(UTC))
        key = ledger.note(event)
        sent[key, ledger.count(key)] = time.time()
        await send(sender, event)
    await sender.stop()


async def _until(moment: float) -> None:
    loop = asyncio.get_running_loop()
    reached = loop.create_future()
    loop.call_at(moment, reached.set_result, None)
    await reached
