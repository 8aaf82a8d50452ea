"""Step 4 of the aggregator: what has been folded becomes durable, and only then is its offset committed.

Signals leave at once, panes and scores soon, state and commit more rarely. All outputs are acknowledged before the
state that includes them, and state before the commit. So after a crash at any instant the outputs of whatever state
does not include yet are written once more, with the same ids; of two versions the higher has all that the lower has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from services.aggregator import records
from services.aggregator.kafka import Packed, RecordWriter
from services.aggregator.partition import Partition

Commit = Callable[[dict[int, int]], Awaitable[bool]]
"""Commits {partition: next offset}; whether the group took it."""


class Watermark:
    """The partitions this worker folds, and how far each is durable."""

    def __init__(self, writer: RecordWriter, commit: Commit) -> None:
        self.partitions: dict[int, Partition] = {}
        self._writer = writer
        self._commit = commit
        self._flushing = asyncio.Lock()
        self._telling = asyncio.Lock()

    def replace(self, partitions: dict[int, Partition]) -> None:
        """Fold these partitions from now on, and no others."""
        self.partitions = partitions

    async def tell(self, now: datetime) -> None:
        """Publish what has been noticed, and the scores it changed. Raises KafkaError as `flush` does."""
        async with self._telling:
            noticed = [record for p in self.partitions.values() for record in records.noticed(p, now)]
            await self._writer.write(noticed)

    async def publish(self, now: datetime) -> None:
        """Tell readers what has changed. Raises KafkaError as `flush` does."""
        async with self._flushing:
            outputs: list[Packed] = []
            async for partition in self._one_by_one():
                outputs += self._outputs(partition, now)
            await self._writer.send(outputs)

    async def flush(self, now: datetime) -> bool:
        """Make all that has been folded durable. False if the group has moved on and did not take the commit.

        Raises KafkaError when the outcome is unknown: the process must end then.
        """
        async with self._flushing:
            outputs: list[Packed] = []
            state: list[Packed] = []
            reached: dict[int, int] = {}
            async for partition in self._one_by_one():
                outputs += self._outputs(partition, now)
                state += self._writer.pack(records.state(partition, partition.take_unsaved()))
                if partition.next != partition.committed:
                    reached[partition.number] = partition.next
            await self._writer.send(outputs)
            async with self._telling:
                pass  # what was told before is acknowledged, too
            await self._writer.send(state)
            if not reached:
                return True
            if not await self._commit(reached):
                return False
            for number, offset in reached.items():
                if number in self.partitions:
                    self.partitions[number].note_commit(offset)
            return True

    async def flush_and_drop(self, now: datetime) -> None:
        """Make everything durable and forget all partitions: others may own them from now on."""
        await self.flush(now)
        self.replace({})

    async def _one_by_one(self) -> AsyncIterator[Partition]:
        """Partitions are independent: between two of them the fold and the heartbeat take their turn."""
        for partition in list(self.partitions.values()):
            yield partition
            await asyncio.sleep(0)

    def _outputs(self, partition: Partition, now: datetime) -> list[Packed]:
        return self._writer.pack(records.outputs(partition, partition.take_outputs(), now))
