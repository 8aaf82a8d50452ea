"""Where a backtest's answers come from: ClickHouse or a file, as messages of feedback.events in order of arrival."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from msgspec import Struct

from deploy.history.convert import Ready, prepare
from deploy.history.mapping import Mapping, check_columns
from deploy.history.table import read_table
from deploy.history.times import Reading
from deploy.up.failure import CANNOT_START, Failure
from deploy.up.probes import without_login
from schemas.feedback import EARLIEST, Arrival, Event, accept, encode

WORKSPACE = "default"
PAGE = timedelta(days=31)
"""The embedded ClickHouse holds a whole result in memory: one query reads so much time."""
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
ISO = {"date_time_output_format": "iso"}


class Span(Struct, frozen=True):
    """From when on answers may alarm, and from when on there are none."""

    teach_until: datetime
    end: datetime

    @classmethod
    def between(cls, from_: str, to: str) -> Span:
        """Read the days of --from and --to; empty ones leave it open. Raises Failure."""
        span = cls(_day("--from", from_, EARLIEST), _day("--to", to, LATEST))
        if span.teach_until >= span.end:
            raise Failure("--from must be before --to.", CANNOT_START)
        return span


class History(Struct, frozen=True):
    """So many messages, and what was left out of a file."""

    count: int
    messages: Iterator[bytes]
    left_out: int = 0


def _day(option: str, text: str, default: datetime) -> datetime:
    try:
        day = datetime.fromisoformat(text) if text else default
    except ValueError:
        raise Failure(f"{option} {text}: write it as 2026-03-01.", CANNOT_START) from None
    return day if day.tzinfo else day.replace(tzinfo=UTC)


def from_file(file: Path, mapping: Mapping, how: Reading, span: Span, now: datetime) -> History:
    """The answers of a CSV or JSONL file, each arriving when it was given. Raises Failure."""
    table = read_table(file)
    check_columns(mapping, table.header)
    prepared = prepare(table.rows, mapping, how, now)
    ready = [answer for answer in prepared.ready if answer.at < span.end]
    return History(len(ready), (message(answer, span) for answer in ready), len(prepared.refused))


def message(answer: Ready, span: Span) -> bytes:
    """The message that ingest would have made of it."""
    event = accept(answer.body, Arrival(WORKSPACE, answer.at, answer.at < span.teach_until, answer.event_id))
    assert isinstance(event, Event), "what was prepared is acceptable"
    return encode(event)


def from_clickhouse(url: str, span: Span) -> History:
    """What is stored. Raises Failure, also while it is read."""
    try:
        client = clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)
        found = client.query(_sql("extent"), parameters={"end": span.end})
    except ClickHouseError as error:
        raise _unreadable(url, error) from None
    count, first, last = found.result_rows[0]
    pages = _pages(first.replace(tzinfo=UTC), last.replace(tzinfo=UTC), span) if count else iter(())
    return History(count, _stored(client, url, pages))


def _pages(first: datetime, last: datetime, span: Span) -> Iterator[dict[str, datetime]]:
    begin = first
    while begin <= last:
        yield {"begin": begin, "end": min(begin + PAGE, span.end), "teach_until": span.teach_until}
        begin += PAGE


def _stored(client: Client, url: str, pages: Iterator[dict[str, datetime]]) -> Iterator[bytes]:
    sql = _sql("history")
    try:
        for page in pages:
            with client.raw_stream(sql, parameters=page, settings=ISO, fmt="JSONEachRow") as lines:
                yield from lines
    except ClickHouseError as error:
        raise _unreadable(url, error) from None
    finally:
        client.close()


def _sql(name: str) -> str:
    text = resources.files("deploy.backtest").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def _unreadable(url: str, error: ClickHouseError) -> Failure:
    return Failure(f"The answers cannot be read from ClickHouse at {without_login(url)}: {error}")
