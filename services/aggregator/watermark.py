"""Step 4 of the aggregator: what has been folded becomes durable, and only then is its offset committed.

Signals leave at once, panes and scores soon, state and commit more rarely. All outputs are acknowledged before the
state that includes them, and state before the commit. So after a crash at any instant the outputs of whatever state
does not include yet are written once more, with the same ids; of two versions the higher has all that the lower has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from services.aggregator.kafka import Packed, RecordWriter
from services.aggregator.records import Record


class Fold(Protocol):
    """One partition that is folded: `next` is the source offset expected next, `committed` where a replay begins."""

    number: int
    next: int
    committed: int

    def note_commit(self, offset: int) -> None:
        """From now on no replay goes back beyond this offset."""


AnyFold = TypeVar("AnyFold", bound=Fold)
OneFold = TypeVar("OneFold", bound=Fold, contravariant=True)


class Records(Protocol[OneFold]):
    """A module that writes what a fold has to tell and to keep: each call gives what came since the one before."""

    def noticed(self, fold: OneFold, as_of: datetime, /) -> Iterable[Record]:
        """What cannot wait."""

    def outputs(self, fold: OneFold, as_of: datetime, /) -> Iterable[Record]:
        """All that others read."""

    def state(self, fold: OneFold, /) -> Iterable[Record]:
        """What a worker restores itself from; asked for right after the outputs."""


Commit = Callable[[dict[int, int]], Awaitable[bool]]
"""Commits {partition: next offset}; whether the group took it."""


class Watermark(Generic[AnyFold]):
    """The partitions this worker folds, and how far each is durable."""

    def __init__(self, writer: RecordWriter, commit: Commit, records: Records[AnyFold]) -> None:
        self.partitions: dict[int, AnyFold] = {}
        self._writer = writer
        self._records = records
        self._commit = commit
        self._flushing = asyncio.Lock()
        self._telling = asyncio.Lock()

    def replace(self, partitions: dict[int, AnyFold]) -> None:
        """Fold these partitions from now on, and no others."""
        self.partitions = partitions

    async def keep(self, some: Iterable[Record]) -> None:
        """Make these records durable before anything that depends on them is folded. Raises KafkaError."""
        await self._writer.write(some)

    async def tell(self, now: datetime) -> None:
        """Publish what has been noticed, and the scores it changed. Raises KafkaError as `flush` does."""
        async with self._telling:
            noticed = [record for p in self.partitions.values() for record in self._records.noticed(p, now)]
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
                state += self._writer.pack(self._records.state(partition))
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

    async def _one_by_one(self) -> AsyncIterator[AnyFold]:
        """Partitions are independent: between two of them the fold and the heartbeat take their turn."""
        for partition in list(self.partitions.values()):
            yield partition
            await asyncio.sleep(0)

    def _outputs(self, partition: AnyFold, now: datetime) -> list[Packed]:
        return self._writer.pack(self._records.outputs(partition, now))
