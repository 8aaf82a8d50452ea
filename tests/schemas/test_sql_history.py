"""What a backtest reads from ClickHouse: every standing answer once, in order of arrival, as a message of the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from deploy.backtest.history import Span, from_clickhouse
from deploy.up.failure import Failure
from schemas.feedback import Event, decode, encode
from tests.embedded.clickhouse.server import Server

WORKSPACE = "backtest"
NOW = datetime.now(UTC).replace(microsecond=0)
SPAN = Span.between("", "")


def answer(event_id: str, days_ago: float, **changes: object) -> Event:
    at = NOW - timedelta(days=days_ago)
    event = Event(
        workspace=WORKSPACE,
        touchpoint="web",
        metric="csat",
        score=4,
        event_id=event_id,
        occurred_at=at,
        received_at=at + timedelta(seconds=1),
        team="billing",
    )
    return replace(event, **changes)


@pytest.fixture(scope="module")
def url(tables: Server) -> str:
    """ClickHouse with some answers, not in order, one of them twice, one replaced and one imported."""
    events = [
        answer("today", 0.1),
        answer("old", 70),
        answer("imported", 90, imported=True, received_at=NOW),
        answer("older", 80, score=1),
        answer("old", 70),
    ]
    rows = [
        encode(event)[:-1] + b',"src_partition":0,"src_offset":%d}' % at for at, event in enumerate(events)
    ]
    rows.append(encode(answer("gone", 2))[:-1] + b',"src_partition":0,"src_offset":9,"replaced":1}')
    status, _, said = tables.ask(
        b"\n".join(rows),
        query="INSERT INTO feedback.events FORMAT JSONEachRow",
        date_time_input_format="best_effort",
        max_partitions_per_insert_block=0,
    )
    assert status == 200, said
    return f"http://default:@127.0.0.1:{tables.port}"


def read(url: str, span: Span) -> list[Event]:
    events = [decode(message) for message in from_clickhouse(url, span).messages]
    return [event for event in events if isinstance(event, Event) and event.workspace == WORKSPACE]


def test_answers_come_once_in_order_of_arrival_and_imported_ones_when_they_were_given(url: str) -> None:
    events = read(url, SPAN)

    assert [event.event_id for event in events] == ["imported", "older", "old", "today"]
    assert [event.imported for event in events] == [False] * 4
    assert events[0].received_at == events[0].occurred_at == NOW - timedelta(days=90)
    assert events[1] == answer("older", 80, score=1)
    assert from_clickhouse(url, SPAN).count >= 4


def test_a_span_says_what_only_teaches_and_what_is_not_read(url: str) -> None:
    span = Span(NOW - timedelta(days=75), NOW - timedelta(days=1))

    assert [(event.event_id, event.imported) for event in read(url, span)] == [
        ("imported", True),
        ("older", True),
        ("old", False),
    ]


def test_no_clickhouse_is_one_sentence() -> None:
    with pytest.raises(Failure, match=r"cannot be read from ClickHouse at http://127.0.0.1:9"):
        from_clickhouse("http://default:@127.0.0.1:9", SPAN)
