"""clickhouse-connect, asynchronous: what the sink and the console do."""

import asyncio
from collections.abc import AsyncIterator

import clickhouse_connect
import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.embedded.clickhouse.server import Server
from tests.embedded.clickhouse.test_client import AT, BROKEN_LATE, COLUMNS, ROWS, json_rows


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncClient]:
    connected = await clickhouse_connect.get_async_client(
        host="127.0.0.1", port=server.port, autogenerate_session_id=False
    )
    yield connected
    await connected.close()


async def test_inserts_and_queries(client: AsyncClient, table: str) -> None:
    await client.insert(table, ROWS, column_names=COLUMNS)
    await client.raw_insert(table, ["id", "name", "at"], json_rows(10, 90), fmt="JSONEachRow")
    found = await client.query(f"SELECT count(), max(at) FROM {table}")
    assert found.result_rows == [(92, AT.replace(tzinfo=None))]


async def test_many_at_once(client: AsyncClient, table: str) -> None:
    async def write(batch: int) -> None:
        settings = {"insert_deduplication_token": f"batch-{batch}"}
        await client.raw_insert(table, None, json_rows(batch * 50, 50), fmt="JSONEachRow", settings=settings)

    async def read(number: int) -> int:
        found = await client.query("SELECT {n:UInt32} * 2", parameters={"n": number})
        return int(found.result_rows[0][0])

    writes = [write(batch) for batch in (*range(10), *range(10))]
    answers = await asyncio.gather(*writes, *(read(number) for number in range(20)))
    assert answers[20:] == [number * 2 for number in range(20)]
    found = await client.query(f"SELECT count(), uniqExact(id) FROM {table}")
    assert found.result_rows == [(500, 500)]


async def test_streaming(client: AsyncClient) -> None:
    total = 0
    async with await client.query_rows_stream("SELECT number FROM numbers(100000)") as rows:
        async for row in rows:
            total += row[0]
    assert total == 100_000 * 99_999 // 2


async def test_a_failed_query_does_not_leak(client: AsyncClient) -> None:
    with pytest.raises(DatabaseError, match="Code: 395"):
        await client.query(BROKEN_LATE)
    found = await client.query("SELECT number FROM numbers(2)")
    assert found.result_rows == [(0,), (1,)]
