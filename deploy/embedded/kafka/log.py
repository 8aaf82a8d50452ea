"""A partition's log in memory: offsets, producers' sequences, the cached tail, and who waits for more.

An append changes memory at once and is submitted to the store; the high watermark moves, and waiters wake,
when the store has committed. Not implemented: replicas, leader epochs, transactions.
"""

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from deploy.embedded.kafka.batch import BatchHeader, placed_at
from deploy.embedded.kafka.store import OFFSET_BITS, Commit, Statement, Store
from deploy.embedded.kafka.wire import Error

_REMEMBERED_BATCHES = 5
_PAGE_ROWS = 16
_TAIL_BYTES = 1 << 20  # cached for each partition; what is older is read from disk


class ProducerState(msgspec.Struct):
    """What a partition remembers of an idempotent producer; clients keep at most 5 batches in flight."""

    epoch: int
    batches: list[tuple[int, int, int]]  # first sequence number, last one, base offset
    seen_ms: int

    def offset_of(self, header: BatchHeader) -> int | None:
        """Where a batch sent before is, or None if it is new."""
        sent = (header.base_sequence, header.last_sequence) if header.producer_epoch == self.epoch else None
        return next((base_offset for *range_, base_offset in self.batches if tuple(range_) == sent), None)

    def refusal(self, header: BatchHeader) -> Error:
        if header.producer_epoch < self.epoch:
            return Error.INVALID_PRODUCER_EPOCH
        newer = header.producer_epoch > self.epoch
        expected = 0 if newer else (self.batches[-1][1] + 1) & 0x7FFFFFFF
        return Error.NONE if header.base_sequence == expected else Error.OUT_OF_ORDER_SEQUENCE_NUMBER


class CachedBatch(NamedTuple):
    last_offset: int
    base_offset: int
    data: bytes


@dataclass(eq=False, slots=True)
class Partition:
    id: int
    topic: str
    index: int
    store: Store
    start: int = 0
    end: int = 0
    high_watermark: int = 0
    cleaned: int = 0
    producers: dict[int, ProducerState] = field(default_factory=dict)
    tail: deque[CachedBatch] = field(default_factory=deque)
    tail_bytes: int = 0
    waiters: set[asyncio.Event] = field(default_factory=set)

    def row(self, offset: int) -> int:
        return self.id << OFFSET_BITS | offset

    def append(self, header: BatchHeader, data: bytes, now_ms: int) -> tuple[int, Commit]:
        """Appends a checked batch that its producer may send; gives its base offset and its commit."""
        base_offset, last_offset = self.end, self.end + header.last_offset_delta
        placed = placed_at(data, base_offset)
        self.end = end = last_offset + 1
        self._cache(CachedBatch(last_offset, base_offset, placed))
        row = (self.row(last_offset), header.max_timestamp, placed)
        statements = [("INSERT INTO batches (id, max_timestamp, data) VALUES (?, ?, ?)", row)]
        if header.producer_id >= 0:
            statements.append(self._remember(header, base_offset, now_ms))
        return base_offset, self.store.submit(*statements, on_commit=lambda: self._committed(end))

    def _remember(self, header: BatchHeader, base_offset: int, now_ms: int) -> Statement:
        state = self.producers.get(header.producer_id)
        if state is None or state.epoch != header.producer_epoch:
            state = self.producers[header.producer_id] = ProducerState(header.producer_epoch, [], now_ms)
        state.batches.append((header.base_sequence, header.last_sequence, base_offset))
        del state.batches[:-_REMEMBERED_BATCHES]
        state.seen_ms = now_ms
        row = (self.id, header.producer_id, now_ms, msgspec.msgpack.encode(state))
        return ("REPLACE INTO producers (part, pid, seen, state) VALUES (?, ?, ?, ?)", row)

    def _cache(self, batch: CachedBatch) -> None:
        self.tail.append(batch)
        self.tail_bytes += len(batch.data)
        while self.tail_bytes > _TAIL_BYTES:
            self.tail_bytes -= len(self.tail.popleft().data)

    def _committed(self, end: int) -> None:
        self.high_watermark = end
        self.wake()

    def wake(self) -> None:
        for waiter in self.waiters:
            waiter.set()

    def read(self, offset: int, max_bytes: int) -> bytes:
        """Whole committed batches from the one that holds `offset`; the first even if it alone is larger."""
        chosen: list[bytes] = []
        for batch in self._batches_from(offset):
            if chosen and len(batch) > max_bytes:
                break
            chosen.append(batch)
            max_bytes -= len(batch)
        return b"".join(chosen)

    def _batches_from(self, offset: int) -> Iterator[bytes]:
        if not self.tail or offset < self.tail[0].base_offset:
            yield from self._stored_from(offset)
            return
        first = bisect_left(self.tail, offset, key=lambda batch: batch.last_offset)
        for at in range(first, len(self.tail)):
            if self.tail[at].last_offset >= self.high_watermark:
                return
            yield self.tail[at].data

    def _stored_from(self, offset: int) -> Iterator[bytes]:
        sql = "SELECT id, data FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        begins, ends = self.row(offset), self.row(self.high_watermark)
        while page := self.store.rows(sql, begins, ends, _PAGE_ROWS):
            yield from (data for _, data in page)
            begins = page[-1][0] + 1

    def advance_start(self, offset: int) -> None:
        """Moves the log start; the rows before it are purged later."""
        self.start = max(self.start, offset)
        self.store.submit(("UPDATE partitions SET start = ? WHERE id = ?", (self.start, self.id)))

    def drop_tail(self) -> None:
        self.tail.clear()
        self.tail_bytes = 0
