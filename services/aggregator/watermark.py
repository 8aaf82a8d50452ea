"""Step 4 of the aggregator: what has been folded becomes durable, and only then is its offset committed.

Signals leave at once. All outputs are acknowledged before state, and state before the commit. So after a crash at any
instant the outputs of whatever the state does not yet include are written once more, with the same ids and versions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from services.aggregator import records
from services.aggregator.kafka import RecordWriter
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

    async def tell(self) -> None:
        """Publish what has been noticed, without waiting for a flush. Raises KafkaError as `flush` does."""
        async with self._telling:
            partitions = list(self.partitions.values())
            await self._writer.write(
                [record for p in partitions for record in records.signals(p, p.take_signals())]
            )

    async def flush(self, now: datetime) -> bool:
        """Make all that has been folded durable. False if the group has moved on and did not take the commit.

        Raises KafkaError when the outcome is unknown: the process must end then.
        """
        async with self._flushing:
            partitions = list(self.partitions.values())
            taken = [(partition, partition.take_changes()) for partition in partitions]
            reached = {p.number: p.next for p in partitions if p.next != p.committed}
            outputs = [record for p, changes in taken for record in records.outputs(p, changes, now)]
            state = [record for p, changes in taken for record in records.state(p, changes)]
            await self._writer.write(outputs)
            async with self._telling:
                pass  # what was told before is acknowledged, too
            await self._writer.write(state)
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
