"""The disk: one SQLite database (WAL) per broker, written by one thread that commits everything queued at once.

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

OFFSET_BITS = 43  # a batch's row id is partition id << 43 | last offset, so one seek finds any offset
_INTERVAL_SECONDS = 1.0
_SCHEMA = Path(__file__).with_name("schema.sql")


class StorageFailure(Exception):
    """A commit failed: memory is ahead of the disk, so this process must end and start again from disk."""


class _Op(NamedTuple):
    statements: tuple[Statement, ...]
    committed: asyncio.Future[None]
    on_commit: Callable[[], None] | None


class Store:
    def __init__(self, path: Path, fsync: Fsync, on_failure: Callable[[str], None]) -> None:
        self._path = path
        self._fsync = fsync
        self._on_failure = on_failure
        self._failure: StorageFailure | None = None
        self._queue: queue.SimpleQueue[_Op | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._writer = self._connect()
        self._writer.executescript(_SCHEMA.read_text())
        self._reader = self._connect(query_only=True)
        self._scanner = self._connect(query_only=True)
        self._thread = threading.Thread(target=self._write_until_closed, name="store", daemon=True)
        self._thread.start()

    def _connect(self, query_only: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA fullfsync=1")
        connection.execute(f"PRAGMA synchronous={'FULL' if self._fsync == 'always' else 'NORMAL'}")
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        connection.execute("PRAGMA journal_size_limit=67108864")
        connection.execute(f"PRAGMA query_only={int(query_only)}")
        return connection

    def submit(
        self, *statements: Statement, on_commit: Callable[[], None] | None = None
    ) -> "asyncio.Future[None]":
        committed: asyncio.Future[None] = self._loop.create_future()
        committed.add_done_callback(_retrieve)
        if self._failure is not None:
            committed.set_exception(self._failure)
        else:
            self._queue.put(_Op(statements, committed, on_commit))
        return committed

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        return self._reader.execute(sql, parameters).fetchall()

    def cursor(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return self._reader.execute(sql, parameters)

    async def scan(self, sql: str, *parameters: Any) -> list[Any]:
        """For queries that may visit many rows: run beside the event loop."""
        return await asyncio.to_thread(lambda: self._scanner.execute(sql, parameters).fetchall())

    async def close(self) -> None:
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        for connection in (self._reader, self._scanner, self._writer):
            connection.close()

    def _write_until_closed(self) -> None:
        sync_due: float | None = None
        open_ = True
        while open_:
            ops, open_ = self._take(None if sync_due is None else max(0.0, sync_due - monotonic()))
            try:
                if ops:
                    self._commit(ops)
                    if self._fsync == "interval" and sync_due is None:
                        sync_due = monotonic() + _INTERVAL_SECONDS
                if sync_due is not None and monotonic() >= sync_due:
                    self._sync()
                    sync_due = None
            except (sqlite3.Error, OSError) as error:
                self._loop.call_soon_threadsafe(self._fail, ops, error)
                return
            self._loop.call_soon_threadsafe(_resolve, ops)

    def _take(self, timeout: float | None) -> tuple[list[_Op], bool]:
        """Everything queued, after waiting for the first; and whether more may follow."""
        ops: list[_Op] = []
        try:
            op = self._queue.get(timeout=timeout)
            while op is not None:
                ops.append(op)
                op = self._queue.get_nowait()
        except queue.Empty:
            return ops, True
        return ops, False

    def _commit(self, ops: list[_Op]) -> None:
        execute = self._writer.execute
        execute("BEGIN IMMEDIATE")
        for op in ops:
            for sql, parameters in op.statements:
                execute(sql, parameters)
        execute("COMMIT")

    def _sync(self) -> None:
        descriptor = os.open(f"{self._path}-wal", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _fail(self, ops: list[_Op], error: Exception) -> None:
        self._failure = StorageFailure(str(error))
        while True:
            try:
                queued = self._queue.get_nowait()
            except queue.Empty:
                break
            ops += [queued] if queued else []
        for op in ops:
            if not op.committed.done():
                op.committed.set_exception(self._failure)
        self._on_failure(str(error))


def _resolve(ops: list[_Op]) -> None:
    for op in ops:
        if op.on_commit is not None:
            op.on_commit()
        if not op.committed.done():
            op.committed.set_result(None)


def _retrieve(committed: "asyncio.Future[None]") -> None:
    """Marks a failure as seen, for callers who do not wait for their commit."""
    if not committed.cancelled():
        committed.exception()
