"""The view customer_recovery gives what a plain count of random answers gives."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from typing import Any

import msgspec
import pytest

from schemas.feedback import Event
from schemas.scoring import METRICS, SCALES, is_bad, is_good
from tests.embedded.clickhouse.server import Server

WORKSPACE = "recovery"
LONG_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)
Columns = dict[str, float | None]


def answers(random: Random, count: int) -> list[Event]:
    """Answers of a few customers and of unnamed ones, each at a moment of its own."""
    moments = random.sample(range(50 * 86_400), count)
    return [answer(random, number, LONG_AGO + timedelta(seconds=at)) for number, at in enumerate(moments)]


def answer(random: Random, number: int, at: datetime) -> Event:
    metric = random.choice(METRICS)
    return Event(
        workspace=WORKSPACE,
        touchpoint=f"t{random.randrange(4)}",
        metric=metric,
        score=random.randint(SCALES[metric].lowest, SCALES[metric].highest),
        event_id=f"e{number}",
        occurred_at=at,
        received_at=at,
        customer_id=random.choice(["", f"c{random.randrange(60)}"]),
    )


def counted(events: list[Event]) -> dict[str, Columns]:
    """The view's columns by touchpoint."""
    after: dict[str, list[tuple[Event, list[Event]]]] = defaultdict(list)
    for bad in events:
        if bad.customer_id and is_bad(bad.metric, bad.score):
            later = [
                e for e in events if e.customer_id == bad.customer_id and e.occurred_at > bad.occurred_at
            ]
            after[bad.touchpoint].append((bad, later))
    return {touchpoint: columns(pairs) for touchpoint, pairs in after.items()}


def columns(pairs: list[tuple[Event, list[Event]]]) -> Columns:
    good = [(bad, [e.occurred_at for e in later if is_good(e.metric, e.score)]) for bad, later in pairs]
    hours = [(min(times) - bad.occurred_at).total_seconds() / 3600 for bad, times in good if times]
    return {
        "bad_contacts": len(pairs),
        "customers": len({bad.customer_id for bad, _ in pairs}),
        "answered_again": len({bad.customer_id for bad, later in pairs if later}),
        "recovered": len({bad.customer_id for bad, times in good if times}),
        "median_hours": round(median(hours), 2) if hours else None,
    }


def insert(tables: Server, rows: list[bytes]) -> None:
    query = "INSERT INTO feedback.events FORMAT JSONEachRow"
    settings = {"date_time_input_format": "best_effort", "max_partitions_per_insert_block": 0}
    status, _, said = tables.ask(b"\n".join(rows), query=query, **settings)
    assert status == 200, said


def shown(tables: Server, workspace: str) -> dict[str, dict[str, Any]]:
    sql = f"SELECT * EXCEPT workspace FROM feedback.customer_recovery WHERE workspace = '{workspace}'"
    text = tables.text(f"{sql} FORMAT JSONEachRow", output_format_json_quote_64bit_integers=0)
    rows = [json.loads(line) for line in text.splitlines()]
    return {row.pop("touchpoint"): row for row in rows}


def test_recovery_is_that_of_a_plain_count(tables: Server) -> None:
    events = answers(Random(20260301), 400)
    insert(tables, [msgspec.json.encode(event) for event in events])

    rows, expected = shown(tables, WORKSPACE), counted(events)

    assert rows.keys() == expected.keys() == {"t0", "t1", "t2", "t3"}
    for touchpoint, row in rows.items():
        assert row == pytest.approx(expected[touchpoint], abs=0.011)


def test_there_is_no_median_where_no_good_answer_came(tables: Server) -> None:
    bad = Event(
        workspace="unhappy",
        touchpoint="t",
        metric="csat",
        score=1,
        event_id="e1",
        occurred_at=LONG_AGO,
        received_at=LONG_AGO,
        customer_id="c",
    )
    insert(tables, [msgspec.json.encode(bad)])

    assert shown(tables, "unhappy") == {
        "t": {"bad_contacts": 1, "customers": 1, "answered_again": 0, "recovered": 0, "median_hours": None}
    }
