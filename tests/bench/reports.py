"""Current scores of 10,000 touchpoints over ten million answers as BI gets them, and bytes an answer takes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from string import Template

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from services.aggregator.clickhouse import DATABASE
from tests.stack import Stack

EVENTS = 10_000_000
ROUNDS = 7
WINDOWS = ("5m", "1h", "24h", "7d")
LOAD_SECONDS = 900
SQL = Path(__file__).with_suffix(".sql")


def load(client: Client, events: int) -> None:
    """Fill the tables and merge them."""
    for statement in Template(SQL.read_text()).substitute(events=events).split(";\n"):
        if statement.strip():
            client.command(statement)


def milliseconds(client: Client, window: str) -> float:
    """The median time of the scores of every touchpoint in one window, as a driver gets them."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        rows = client.query(
            f"SELECT touchpoint, metric, n, score, score_low, score_high FROM {DATABASE}.current_scores"
            f" WHERE window = '{window}'"
        ).result_rows
        times.append(1000 * (time.perf_counter() - started))
        assert rows
    return median(times)


def bytes_of(client: Client, table: str) -> float:
    """Bytes on disk of one row."""
    return float(
        client.query(
            "SELECT sum(bytes_on_disk) / sum(rows) AS size FROM system.parts"
            f" WHERE active AND database = '{DATABASE}' AND table = '{table}'"
        ).first_item["size"]
    )


def measure() -> dict[str, float]:
    """Milliseconds of each window, bytes of each table's rows."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder) / "data", only="clickhouse") as stack:
        url = stack.url("clickhouse")
        client = clickhouse_connect.get_client(dsn=url, send_receive_timeout=LOAD_SECONDS)
        load(client, EVENTS)
        times = {f"current_scores_{window}_ms": milliseconds(client, window) for window in WINDOWS}
        sizes = {
            f"{table}_bytes_a_row": bytes_of(client, table) for table in ("events", "panes_1m", "panes_1h")
        }
        client.close()
    return {"reports_events": EVENTS, **times, **sizes}
