"""Step 6 of the aggregator: the sink copies topics to tables in large inserts, and commits what ClickHouse has."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec
import structlog
from aiokafka import ConsumerRecord

from schemas import metrics
from schemas.rejections import REASONS, DeadLetter, Reason
from schemas.topics import REJECTED
from services.aggregator.clickhouse import AbandonedError, Inserter
from services.aggregator.exits import Exit, end_now
from services.aggregator.kafka import Positions, RecordWriter
from services.aggregator.records import Record
from services.aggregator.rows import SOURCES, Batch, Row, Table, row_of
from services.aggregator.settings import AggregatorSettings
from services.operations.telemetry import Telemetry

log = structlog.get_logger()

PENDING_BATCHES = 5
"""Reading waits when so many full batches are read and not yet inserted: memory stays bounded."""
RELEASE_SECONDS = 5.0
"""How long partitions that are being taken away may wait for ClickHouse; after it they are read again elsewhere."""

Source = tuple[str, int]
Clock = Callable[[], datetime]
Commit = Callable[[dict[Source, int]], Awaitable[bool]]


class Sink:
    """What the sink's Faust agents, timer and rebalance hooks call."""

    def __init__(
        self,
        settings: AggregatorSettings,
        inserter: Inserter,
        writer: RecordWriter,
        commit: Commit,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self.restored = False
        self._settings = settings
        self._inserter = inserter
        self._writer = writer
        self._commit = commit
        self._telemetry = telemetry
        self._clock = clock
        self._next: dict[Source, int] = {}
        self._committed: dict[Source, int] = {}
        self._pending: dict[Table, Batch] = {}
        self._flushing = asyncio.Lock()
        self._dirty = asyncio.Event()
        self._full = asyncio.Event()

    async def take(self, chunk: list[ConsumerRecord]) -> None:
        """Read one chunk of records of one partition; waits while too much is pending."""
        source = (chunk[0].topic, chunk[0].partition)
        expected = self._next.get(source)
        if expected is None:
            return  # fetched before a rebalance took the partition away
        fresh = [record for record in chunk if record.offset >= expected]
        if not fresh:
            return
        if fresh[0].offset > expected and source[0] in _GAPLESS:
            end_now(
                Exit.RECORDS_MISSING, f"offsets {expected} to {fresh[0].offset - 1} of {source} never arrived"
            )
        for record in fresh:
            row = row_of(record.topic, record.partition, record.offset, record.key, record.value)
            if row is not None:
                self._pending.setdefault(row.table, Batch()).rows.append(row)
        self._next[source] = fresh[-1].offset + 1
        await self._flow()

    async def _flow(self) -> None:
        pending = self.pending_rows()
        self._telemetry.level(metrics.SINK_PENDING, pending)
        self._dirty.set()
        if pending >= self._settings.sink_batch_rows:
            self._full.set()
        if pending >= self._settings.sink_batch_rows * PENDING_BATCHES:
            await self.flush()

    async def flush_when_due(self) -> None:
        """For ever: insert what is pending after `sink_flush_seconds`, or as soon as it fills a batch."""
        while True:
            await self._dirty.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.sink_flush_seconds):
                    await self._full.wait()
            self._dirty.clear()
            self._full.clear()
            await self.flush()

    async def flush(self) -> None:
        """Insert everything pending and commit it; gives up without a commit when told to abandon."""
        async with self._flushing:
            pending, self._pending = self._pending, {}
            reached = {source: at for source, at in self._next.items() if at != self._committed.get(source)}
            try:
                for table, batch in pending.items():
                    await self._insert(table, batch)
                if pending:
                    _die_if_a_test_asks()
                if reached and await self._commit(reached):
                    self._committed.update(reached)
            except AbandonedError:
                log.warning(
                    "partitions are taken away while ClickHouse is away; their rows will be read again"
                )
            except Exception as error:
                end_now(Exit.CRASHED, f"cannot copy to ClickHouse: {error!r}")

    async def _insert(self, table: Table, batch: Batch) -> None:
        started = self._clock()
        unreadable = await self._inserter.insert(table, batch)
        await self._writer.write([self._dead_letter(row, started) for row in unreadable])
        seconds = (self._clock() - started).total_seconds()
        self._telemetry.timed(metrics.SINK_INSERT_SECONDS, seconds, table)
        self._telemetry.count(metrics.SINK_ROWS, table, by=len(batch.rows) - len(unreadable))

    async def restore(self, positions: dict[Source, Positions]) -> None:
        """Read these partitions from their committed positions on, and no others."""
        self._inserter.abandon.clear()
        self._pending = {}
        self._next = {source: at.start for source, at in positions.items()}
        self._committed = dict(self._next)
        self.restored = True
        log.info("assigned", partitions=len(positions))

    async def release(self) -> None:
        """Insert and commit what is pending if ClickHouse takes it soon, and let go of all partitions."""
        self.restored = False
        done = asyncio.ensure_future(self.flush())
        _, late = await asyncio.wait({done}, timeout=RELEASE_SECONDS)
        if late:
            self._inserter.abandon.set()
            await done
        self._next, self._committed, self._pending = {}, {}, {}

    def pending_rows(self) -> int:
        """Rows read and not yet handed to ClickHouse."""
        return sum(len(batch.rows) for batch in self._pending.values())

    def positions(self) -> dict[Source, int]:
        """For each partition, the offset up to which ClickHouse has everything."""
        return dict(self._committed)

    def _dead_letter(self, row: Row, now: datetime) -> Record:
        letter = DeadLetter(
            workspace="",
            reason=Reason.ROW_REFUSED,
            detail=REASONS[Reason.ROW_REFUSED],
            src_topic=row.topic,
            src_partition=row.partition,
            src_offset=row.offset,
            rejected_at=now,
            payload=row.json.decode("utf-8", "replace"),
        )
        key = f"{row.topic}/{row.partition}/{row.offset}".encode()
        return Record(REJECTED.name, row.partition % REJECTED.partitions, key, msgspec.json.encode(letter))


def _die_if_a_test_asks() -> None:
    """A failpoint: kill -9 between insert and commit if the file that this variable names exists; removes it."""
    file = os.environ.get("AGGREGATOR_FAILPOINT_AFTER_INSERT")
    if file and Path(file).is_file():
        Path(file).unlink()
        os.kill(os.getpid(), signal.SIGKILL)


_GAPLESS = frozenset(topic.name for topic in SOURCES if topic.config["cleanup.policy"] == "delete")
