"""The read-only user of BI tools: reads every table and view, changes nothing."""

from __future__ import annotations

import pytest

from deploy.provision.tables import declared_tables
from tests.embedded.clickhouse.server import Server

BI = {"X-ClickHouse-User": "bi", "X-ClickHouse-Key": "secret"}
ACCESS_DENIED_OR_READONLY = (403, 500)


@pytest.mark.parametrize("name", sorted(declared_tables()))
def test_bi_reads_every_table_and_view(tables: Server, name: str) -> None:
    status, _, answer = tables.ask(f"SELECT * FROM feedback.{name} LIMIT 1 FORMAT JSONEachRow", BI)

    assert status == 200, answer


def test_the_views_are_there() -> None:
    assert declared_tables() >= {"current_scores", "rolling_scores", "hourly_scores"}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO feedback.panes_1m (workspace) VALUES ('x')",
        "ALTER TABLE feedback.events DELETE WHERE 1",
        "DROP VIEW feedback.current_scores",
        "TRUNCATE TABLE feedback.alerts",
    ],
)
def test_bi_changes_nothing(tables: Server, statement: str) -> None:
    before = tables.text(
        "SELECT name, total_rows FROM system.tables WHERE database = 'feedback' ORDER BY name"
    )

    status, _, answer = tables.ask(statement, BI)

    assert status in ACCESS_DENIED_OR_READONLY, answer
    assert before == tables.text(
        "SELECT name, total_rows FROM system.tables WHERE database = 'feedback' ORDER BY name"
    )
