"""What is durable while a worker crashes: the records it has written, and the commit."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from schemas.topics import CUSTOMERS, Topic
from services.aggregator.kafka import StateLog
from services.aggregator.records import Record

NUMBER = 3


class CrashError(Exception):
    """The worker ends here."""


class Broker:
    """What is durable: the written records and the commit. It may crash the worker in the middle of a write."""

    def __init__(self, random: Random, crash_rate: float) -> None:
        self.records: list[Record] = []
        self.committed = 0
        self._random = random
        self._crash_rate = crash_rate

    def pack(self, records: Iterable[Record]) -> list[Record]:
        """Made when they are packed, as a batch is."""
        return list(records)

    async def write(self, records: Iterable[Record]) -> None:
        """Pack and send."""
        await self.send(self.pack(records))

    async def send(self, packed: list[Record]) -> None:
        """Take all records, or a part of them in any order before a crash.

        Those of feedback.customers are taken in order: as the idempotent producer writes a partition.
        """
        ordered = [record for record in packed if record.topic == CUSTOMERS.name]
        others = [record for record in packed if record.topic != CUSTOMERS.name]
        batch = sorted(others, key=lambda record: (record.topic, record.key))
        if self._random.random() < self._crash_rate:
            self.records += self._random.sample(batch, self._random.randint(0, len(batch)))
            self.records += ordered[: self._random.randint(0, len(ordered))]
            raise CrashError
        self.records += batch + ordered

    async def commit(self, reached: dict[int, int]) -> bool:
        """Take the offset, or crash just before or just after."""
        if self._random.random() < self._crash_rate / 2:
            raise CrashError
        self.committed = reached[NUMBER]
        if self._random.random() < self._crash_rate / 2:
            raise CrashError
        return True

    def state(self, topic: Topic) -> StateLog:
        """A state topic as a new worker reads it."""
        log = StateLog()
        for record in self.records:
            if record.topic == topic.name:
                log.take(record.partition, record.key, record.value)
        return log
