"""The inserter against the real gateway: waits for ClickHouse, finds unreadable rows, stops waiting when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from deploy.provision.tables import apply_schema
from services.aggregator.clickhouse import AbandonedError, Inserter
from services.aggregator.rows import Batch, Row
from tests.embedded.clickhouse.server import Server, reusable_port, start

PATIENCE_SECONDS = 30


def url(port: int) -> str:
    return f"http://default:@127.0.0.1:{port}"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded ClickHouse with the contract's tables."""
    running = start(tmp_path_factory.mktemp("inserter") / "clickhouse")
    try:
        apply_schema(url(running.port))
        yield running
    finally:
        running.end()


class Retries:
    """Called by the inserter before each repetition; waits for a number of them."""

    def __init__(self) -> None:
        self.count = 0
        self._more = asyncio.Condition()
        self._calls: set[asyncio.Task[None]] = set()

    def __call__(self) -> None:
        self._calls.add(asyncio.ensure_future(self._note()))

    async def _note(self) -> None:
        async with self._more:
            self.count += 1
            self._more.notify_all()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._more:
            await self._more.wait_for(lambda: self.count >= count)


@asynccontextmanager
async def inserter(port: int) -> AsyncIterator[tuple[Inserter, Retries]]:
    retries = Retries()
    opened = Inserter(url(port), retries)
    try:
        yield opened, retries
    finally:
        await opened.close()


def dead_letters(workspace: str, count: int) -> Batch:
    return Batch([row(workspace, offset) for offset in range(count)])


def row(workspace: str, offset: int, partition: str = "3") -> Row:
    text = (
        f'{{"workspace":"{workspace}","reason":"json_invalid","detail":"d","src_topic":"{workspace}",'
        f'"src_partition":{partition},"src_offset":{offset},"rejected_at":"2099-01-01T00:00:00Z","payload":"ł"}}'
    )
    return Row("rejected", text.encode(), "t", 3, offset)


def stored(tables: Server, workspace: str) -> int:
    return int(tables.text(f"SELECT count() FROM feedback.rejected FINAL WHERE workspace = '{workspace}'"))


async def test_a_batch_is_inserted_at_once(tables: Server) -> None:
    async with inserter(tables.port) as (clickhouse, retries):
        assert await clickhouse.insert("rejected", dead_letters("plain", 1000)) == []

    assert stored(tables, "plain") == 1000
    assert (retries.count, clickhouse.problem) == (0, "")


async def test_the_same_batch_again_leaves_no_second_rows(tables: Server) -> None:
    async with inserter(tables.port) as (clickhouse, _):
        for _ in range(2):
            await clickhouse.insert("rejected", dead_letters("again", 10))

    count = "SELECT count() FROM feedback.rejected WHERE workspace = 'again'"
    assert tables.text(count) == "10", "without FINAL: the token kept the second insert out"


async def test_one_unreadable_row_in_a_thousand_is_found_and_only_it(tables: Server) -> None:
    batch, unreadable = dead_letters("spoilt", 1000), row("spoilt", 617, partition='"three"')
    batch.rows[617] = unreadable

    async with inserter(tables.port) as (clickhouse, retries), asyncio.timeout(PATIENCE_SECONDS):
        assert await clickhouse.insert("rejected", batch) == [unreadable]

    assert stored(tables, "spoilt") == 999
    assert retries.count == 0


TORN = [
    b'{"workspace": "torn',
    b"{",
    b'{"src_offset":',
    b'{"src_offset":4',
    b"null",
    b'{"workspace": "\\',
]
WRONG = [b'{"rejected_at":"tomorrow"}', b'{"rejected_at":1e400}', b'{"src_offset":-1}']
TOO_DEEP = [b'{"x":' + b"[" * 1200 + b"]" * 1200 + b"}"]


async def test_rows_are_unreadable_in_many_ways(tables: Server) -> None:
    batch = dead_letters("torn", 32)
    bad = {5 + 2 * place: json for place, json in enumerate(TORN + WRONG + TOO_DEEP)}
    for offset, json in bad.items():
        batch.rows[offset] = replace(row("torn", offset), json=json)

    async with inserter(tables.port) as (clickhouse, _), asyncio.timeout(PATIENCE_SECONDS):
        unreadable = await clickhouse.insert("rejected", batch)

    assert [one.offset for one in unreadable] == list(bad)
    assert stored(tables, "torn") == 32 - len(bad)


async def test_rows_wait_until_clickhouse_is_there(tmp_path: Path) -> None:
    port = reusable_port()
    async with inserter(port) as (clickhouse, retries):
        waiting = asyncio.ensure_future(clickhouse.insert("rejected", dead_letters("late", 20)))
        await retries.reach(2)
        assert clickhouse.problem
        server = await asyncio.to_thread(start, tmp_path / "clickhouse", port)
        try:
            await asyncio.to_thread(apply_schema, url(port))
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await waiting == []
            assert stored(server, "late") == 20
            assert clickhouse.problem == ""
        finally:
            server.end()


async def test_what_clickhouse_refuses_for_now_is_repeated_whole(tables: Server) -> None:
    async with inserter(tables.port) as (clickhouse, retries):
        waiting = asyncio.ensure_future(clickhouse.insert("not_there_yet", dead_letters("x", 3)))  # type: ignore[arg-type]
        await retries.reach(1)
        tables.text("CREATE TABLE feedback.not_there_yet AS feedback.rejected")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await waiting == []

    assert tables.text("SELECT count() FROM feedback.not_there_yet") == "3"
    tables.text("DROP TABLE feedback.not_there_yet")


async def test_an_abandoned_insert_stops_waiting() -> None:
    async with inserter(reusable_port()) as (clickhouse, retries):
        waiting = asyncio.ensure_future(clickhouse.insert("rejected", dead_letters("gone", 1)))
        await retries.reach(2)
        clickhouse.abandon.set()

        with pytest.raises(AbandonedError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await waiting
