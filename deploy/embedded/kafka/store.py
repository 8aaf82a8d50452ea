"""The disk: one SQLite database (WAL) per broker, written by one thread that commits all that is queued at once.

Callers change memory first, on the event loop, then submit the statements that make the change last; what they
submit is committed in that order, and their future resolves after the commit, never before.
"""

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, Literal, NamedTuple

Fsync = Literal["always", "interval"]
Statement = tuple[str, tuple[Any, ...]]
Commit = asyncio.Future[None]

OFFSET_BITS = 43  # a batch's row id is partition id << 43 | last offset, so one seek finds any offset
_INTERVAL_SECONDS = 1.0
_SCHEMA = Path(__file__).with_name("schema.sql")
_SETTINGS = """PRAGMA journal_mode=WAL; PRAGMA fullfsync=1; PRAGMA wal_autocheckpoint=4000;
    PRAGMA journal_size_limit=67108864; PRAGMA synchronous=%s"""


class StorageFailure(Exception):
    """A commit failed: memory is ahead of the disk, so this process must end and start again from disk."""


class _Op(NamedTuple):
    statements: tuple[Statement, ...]
    commit: Commit
    on_commit: Callable[[], None] | None


class Store:
    def __init__(self, path: Path, fsync: Fsync, on_failure: Callable[[str], None]) -> None:
        self._on_failure = on_failure
        self._failure: StorageFailure | None = None
        self._queue: queue.SimpleQueue[_Op | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._interval = _INTERVAL_SECONDS if fsync == "interval" else None
        self._writer, self._reader, self._scanner = (self._connect(path) for _ in range(3))
        self._writer.executescript(_SCHEMA.read_text())
        for connection in (self._reader, self._scanner):
            connection.execute("PRAGMA query_only=1")
        self._wal = os.open(f"{path}-wal", os.O_RDONLY)
        self._thread = threading.Thread(target=self._write_until_closed, name="store", daemon=True)
        self._thread.start()

    def _connect(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.executescript(_SETTINGS % ("NORMAL" if self._interval else "FULL"))
        return connection

    def submit(self, *statements: Statement, on_commit: Callable[[], None] | None = None) -> Commit:
        """Queues statements, none to learn when everything before is on disk."""
        commit: Commit = self._loop.create_future()
        commit.add_done_callback(_retrieve)
        if self._failure is not None:
            commit.set_exception(self._failure)
        else:
            self._queue.put(_Op(statements, commit, on_commit))
        return commit

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        return self._reader.execute(sql, parameters).fetchall()

    async def scan(self, sql: str, *parameters: Any) -> list[Any]:
        """For queries that may visit many rows: run beside the event loop."""
        return await asyncio.to_thread(lambda: self._scanner.execute(sql, parameters).fetchall())

    async def close(self) -> None:
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        for connection in (self._reader, self._scanner, self._writer):
            connection.close()
        os.close(self._wal)

    def _write_until_closed(self) -> None:
        sync_due: float | None = None
        closed = False
        while not closed:
            ops = self._take(None if sync_due is None else max(0.0, sync_due - monotonic()))
            closed = None in ops
            written = [op for op in ops if op is not None]
            try:
                self._commit(written)
                if self._interval and written and sync_due is None:
                    sync_due = monotonic() + self._interval
                if sync_due is not None and monotonic() >= sync_due:
                    os.fsync(self._wal)
                    sync_due = None
            except (sqlite3.Error, OSError) as error:
                self._loop.call_soon_threadsafe(self._fail, written, str(error))
                return
            self._loop.call_soon_threadsafe(_resolve, written)

    def _take(self, timeout: float | None) -> list[_Op | None]:
        """Everything queued, after waiting for the first."""
        ops: list[_Op | None] = []
        try:
            ops.append(self._queue.get(timeout=timeout))
            while True:
                ops.append(self._queue.get_nowait())
        except queue.Empty:
            return ops

    def _commit(self, ops: list[_Op]) -> None:
        statements = [statement for op in ops for statement in op.statements]
        if statements:
            self._writer.execute("BEGIN IMMEDIATE")
            for sql, parameters in statements:
                self._writer.execute(sql, parameters)
            self._writer.execute("COMMIT")

    def _fail(self, ops: list[_Op], reason: str) -> None:
        self._failure = StorageFailure(reason)
        for op in (*ops, *self._take(0)):
            if op is not None and not op.commit.done():
                op.commit.set_exception(self._failure)
        self._on_failure(reason)


def _resolve(ops: list[_Op]) -> None:
    for op in ops:
        if op.on_commit is not None:
            op.on_commit()
        if not op.commit.done():
            op.commit.set_result(None)


def _retrieve(commit: Commit) -> None:
    """Marks a failure as seen, for callers who do not wait for their commit."""
    if not commit.cancelled():
        commit.exception()
