"""Step 6 of the aggregator: one INSERT, repeated until ClickHouse has it or says that a row is bad."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import clickhouse_connect
import structlog
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from services.aggregator.rows import Batch, Row, Table

log = structlog.get_logger()

DATABASE = "feedback"
UNREADABLE = frozenset({6, 25, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 306, 321, 349, 691})
"""ClickHouse's error codes for data that cannot become a row, however often it is sent."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 10.0


class AbandonedError(Exception):
    """The insert was given up because the partitions are being taken away; nothing of it is committed."""


class Inserter:
    """Inserts batches, and waits as long as ClickHouse is away. `on_retry` is called before each repetition."""

    def __init__(self, url: str, on_retry: Callable[[], None]) -> None:
        self._url = url
        self._on_retry = on_retry
        self._client: AsyncClient | None = None
        self.abandon = asyncio.Event()
        self.problem = ""

    async def insert(self, table: Table, batch: Batch) -> list[Row]:
        """Insert all rows; returns those that ClickHouse cannot read. Raises AbandonedError."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._insert_once(table, batch)
            except DatabaseError as error:
                if _code(error) in UNREADABLE:
                    return await self._without_unreadable(table, batch)
                self._note(error)
            except (ClickHouseError, OSError, TimeoutError) as error:
                self._note(error)
            else:
                self.problem = ""
                return []
            await self._wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await self._client.close()

    async def _insert_once(self, table: Table, batch: Batch) -> None:
        if self._client is None:
            self._client = await _connect(self._url)
        settings: dict[str, Any] = {
            "insert_deduplication_token": batch.token(),
            "date_time_input_format": "best_effort",
            "input_format_skip_unknown_fields": 1,
            "max_partitions_per_insert_block": 2000,
        }
        await self._client.raw_insert(
            f"{DATABASE}.{table}",
            insert_block=_stream(batch),
            fmt="JSONEachRow",
            settings=settings,
            transport_settings={"Content-Length": str(batch.size())},
        )

    async def _without_unreadable(self, table: Table, batch: Batch) -> list[Row]:
        """Halve the batch until the unreadable rows stand alone."""
        if len(batch.rows) == 1:
            return batch.rows
        first, second = batch.halves()
        return await self.insert(table, first) + await self.insert(table, second)

    def _note(self, error: Exception) -> None:
        problem = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        if problem != self.problem:
            log.warning("ClickHouse does not take rows, trying again until it does", error=problem)
        self.problem = problem
        self._on_retry()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.abandon.wait()
        except TimeoutError:
            return
        raise AbandonedError


async def _stream(batch: Batch) -> AsyncIterator[bytes]:
    """The body for clickhouse-connect, which would copy it twice more if it were one piece.

    Sent with its length: a torn body can then never be taken for a short one.
    """
    for piece in batch.body():
        yield piece


async def _connect(url: str) -> AsyncClient:
    try:
        return await clickhouse_connect.get_async_client(
            dsn=url, autogenerate_session_id=False, connect_timeout=5, send_receive_timeout=120
        )
    except OperationalError:
        raise
    except Exception as error:  # the first query's failure may come as anything
        raise OperationalError(f"cannot connect: {error!r}") from error


def _code(error: DatabaseError) -> int:
    """ClickHouse's error code, or 0."""
    return int(getattr(error, "code", 0) or 0)
