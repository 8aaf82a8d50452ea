"""The message is the row: each type's fields are its table's columns, and the tables agree with schemas.scoring."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from schemas.alerts import Alert
from schemas.feedback import Event, encode
from schemas.rejections import DeadLetter
from schemas.scores import Pane
from schemas.scoring import METRICS, SCALES, Metric, is_bad, level
from schemas.topics import ALERTS, EVENTS, PANES, REJECTED, REPLACED
from tests.embedded.clickhouse.server import Server
from tests.schemas.test_examples import of

ADDED_BY_THE_SINK = {"src_partition", "src_offset"}
TABLES: list[tuple[str, type[Struct], set[str]]] = [
    ("events", Event, ADDED_BY_THE_SINK | {"replaced"}),
    ("panes_1m", Pane, set()),
    ("panes_1h", Pane, set()),
    ("alerts", Alert, ADDED_BY_THE_SINK),
    ("rejected", DeadLetter, set()),
]
EXAMPLES = [
    ("events", EVENTS.name),
    ("panes_1m", PANES.name),
    ("alerts", ALERTS.name),
    ("rejected", REJECTED.name),
    ("events", REPLACED.name),
]
NOW = datetime.now(UTC).replace(microsecond=0)
"""Rows of long ago would be deleted at once: tables keep what they hold for a time."""


def insert(tables: Server, table: str, rows: list[bytes]) -> None:
    """As the sink does, but unknown fields are errors."""
    query = f"INSERT INTO feedback.{table} FORMAT JSONEachRow"
    settings = {"date_time_input_format": "best_effort", "input_format_skip_unknown_fields": 0}
    status, _, answer = tables.ask(b"\n".join(rows), query=query, **settings)
    assert status == 200, answer


@pytest.mark.parametrize(("table", "message", "added"), TABLES)
def test_a_message_has_the_fields_that_its_table_has_columns(
    tables: Server, table: str, message: type[Struct], added: set[str]
) -> None:
    described = json.loads(tables.text(f"DESCRIBE TABLE feedback.{table} FORMAT JSON"))["data"]

    written = {column["name"] for column in described if column["default_type"] == ""}

    assert written == set(message.__struct_fields__) | added


@pytest.mark.parametrize(("table", "topic"), EXAMPLES)
def test_clickhouse_reads_the_example_messages(tables: Server, table: str, topic: str) -> None:
    insert(tables, table, [b" ".join(example.split()) for example in of(topic)])


def test_comments_are_stored_as_they_were_written(tables: Server) -> None:
    examples = [msgspec.json.decode(raw, type=Event) for raw in of(EVENTS.name)]
    today = [replace(example, workspace="today", occurred_at=NOW, received_at=NOW) for example in examples]
    insert(tables, "events", [encode(one) for one in today])

    comments = tables.text("SELECT comment FROM feedback.events WHERE workspace = 'today'").split("\n")

    assert sorted(comments) == sorted(example.comment for example in examples)


def test_good_and_bad_answers_are_those_of_scoring(tables: Server) -> None:
    every_score: list[tuple[Metric, int]] = [
        (metric, score)
        for metric in METRICS
        for score in range(SCALES[metric].lowest, SCALES[metric].highest + 1)
    ]
    insert(tables, "events", [encode(event(metric, score)) for metric, score in every_score])

    rows = tables.text("SELECT metric, score, is_top, is_bad FROM feedback.events WHERE workspace = 'scales'")

    shown = {tuple(row.split("\t")) for row in rows.splitlines()}
    assert shown == {
        (metric, str(score), str(level(metric, score) == 1.0).lower(), str(is_bad(metric, score)).lower())
        for metric, score in every_score
    }


def event(metric: Metric, score: int) -> Event:
    return Event(
        workspace="scales",
        touchpoint="t",
        metric=metric,
        score=score,
        event_id=f"{metric}-{score}",
        occurred_at=NOW,
        received_at=NOW,
    )


def test_of_two_messages_with_one_id_the_first_is_the_row(tables: Server) -> None:
    first, second = encode(event("csat", 5)), encode(event("csat", 1))
    rows = [
        raw.replace(b'"scales"', b'"twice"').replace(b'"csat-1"', b'"csat-5"')[:-1]
        + b',"src_offset":%d}' % offset
        for raw, offset in ((second, 9), (first, 4))
    ]
    for row in rows:
        insert(tables, "events", [row])

    assert (
        tables.text("SELECT score, src_offset FROM feedback.events FINAL WHERE workspace = 'twice'") == "5\t4"
    )


def test_a_replaced_answer_is_hidden_and_stays_hidden(tables: Server) -> None:
    first = {"workspace": "replacing", "touchpoint": "t", "metric": "csat", "score": 1, "event_id": "a"}
    times = {"occurred_at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "received_at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"}
    rows = [
        first | times | {"src_offset": 7},
        first | times | {"event_id": "b", "score": 5, "src_offset": 8},
        first | times | {"src_offset": 7, "replaced": 1},
        first | times | {"src_offset": 9},
    ]
    for row in rows:
        insert(tables, "events", [json.dumps(row).encode()])

    shown = tables.text("SELECT event_id FROM feedback.events FINAL WHERE workspace = 'replacing'")

    assert shown.split() == ["b"]
