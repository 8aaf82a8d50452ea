"""Rows per second of the sink into ClickHouse, against clickhouse-connect's own insert of tuples of the same rows.

Both begin with the same messages and fill the same table, in turns. "Insert" begins with what the client is given
(rows as JSON, or tuples), "copy" with the messages as Kafka has them. Wall times hold the engine's work, which is done
in its own process; client times do not.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import clickhouse_connect
import uvloop
from clickhouse_connect.driver.client import Client
from msgspec.structs import astuple

from schemas.feedback import Event, decode, encode
from schemas.topics import EVENTS
from services.aggregator.clickhouse import DATABASE, Inserter
from services.aggregator.rows import Batch, row_of
from tests.bench.aggregator import answers, is_ready, produce
from tests.bench.processes import cpu_seconds, peak_resident_mb
from tests.stack import ROOT, Stack, wait_for

ROWS = 20_000
ROUNDS = 9
BACKLOG = 200_000
RATED_PER_SECOND = 500
COLUMNS = (*Event.__struct_fields__, "src_partition", "src_offset")
PARTITION = 3
PORT = "18903"


class Spent(NamedTuple):
    """Seconds: this process's CPU, by the clock, and the engine's CPU."""

    client: float
    wall: float
    engine: float


class Round(NamedTuple):
    """What making the input of the insert cost, and what the insert cost."""

    made: Spent
    inserted: Spent


class Meter:
    """Takes times of steps that involve this process and the engine's."""

    def __init__(self, engine: int) -> None:
        self._engine = engine
        self._last = self._now()

    def _now(self) -> Spent:
        return Spent(time.process_time(), time.perf_counter(), cpu_seconds(self._engine))

    def lap(self) -> Spent:
        """Spent since the last lap."""
        last, self._last = self._last, self._now()
        return Spent(*(now - then for now, then in zip(self._last, last, strict=True)))


async def copy_messages(inserter: Inserter, messages: list[bytes], meter: Meter) -> Round:
    """The sink's way: the message is the row."""
    batch = Batch()
    meter.lap()
    for offset, message in enumerate(messages):
        row = row_of(EVENTS.name, PARTITION, offset, b"default/t1", message)
        assert row is not None
        batch.rows.append(row)
    made = meter.lap()
    assert await inserter.insert("events", batch) == []
    return Round(made, meter.lap())


def insert_tuples(client: Client, messages: list[bytes], meter: Meter) -> Round:
    """clickhouse-connect's way: each message is checked as the sink checks it, and becomes a tuple of values."""
    rows: list[tuple[object, ...]] = []
    meter.lap()
    for offset, message in enumerate(messages):
        event = decode(message)
        assert isinstance(event, Event)
        rows.append((*astuple(event), PARTITION, offset))
    made = meter.lap()
    client.insert("events", rows, COLUMNS, DATABASE, settings={"insert_deduplicate": 0})
    return Round(made, meter.lap())


async def alternate(stack: Stack) -> tuple[list[Round], list[Round]]:
    """Rounds of both ways, each into an empty table; the first of each opens connections and is left out."""
    ours, theirs = [], []
    messages = [encode(event) for event in answers(ROWS)]
    url = stack.url("clickhouse")
    client, inserter = clickhouse_connect.get_client(dsn=url), Inserter(url, lambda: None)
    meter = Meter(stack.pid("clickhouse"))
    for _ in range(1 + ROUNDS):
        ours.append(await copy_messages(inserter, messages, meter))
        empty(client)
        theirs.append(insert_tuples(client, messages, meter))
        empty(client)
    await inserter.close()
    client.close()
    return ours[1:], theirs[1:]


def empty(client: Client) -> None:
    """Empty the table, which has to hold all rows of a round."""
    assert client.query(f"SELECT count() FROM {DATABASE}.events").first_item == {"count()": ROWS}
    client.command(f"TRUNCATE TABLE {DATABASE}.events")


def drain(stack: Stack, folder: Path) -> dict[str, float]:
    """A sink worker copies a backlog."""
    asyncio.run(produce(stack.url("kafka"), BACKLOG))
    env = os.environ | {
        "KAFKA_BOOTSTRAP": stack.url("kafka"),
        "CLICKHOUSE_URL": stack.url("clickhouse"),
        "AGGREGATOR_SINK_PORT": PORT,
        "AGGREGATOR_DATA_DIR": str(folder / "sink"),
        "AGGREGATOR_LOG_LEVEL": "ERROR",
    }
    with (folder / "sink.log").open("ab") as log:
        command = [sys.executable, "-m", "services.aggregator", "sink"]
        worker = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        wait_for(lambda: is_ready(PORT), 60, "the sink is ready")
        meter = Meter(stack.pid("clickhouse"))
        idle = cpu_seconds(worker.pid)
        wait_for(lambda: stored(stack) >= BACKLOG, 120, "the backlog is in ClickHouse")
        spent, cpu = meter.lap(), cpu_seconds(worker.pid) - idle
        peak = peak_resident_mb(worker.pid)
    finally:
        worker.terminate()
        worker.wait(20)
    return {
        "sink_backlog_rows": BACKLOG,
        "sink_backlog_rows_per_second": BACKLOG / spent.wall,
        "sink_backlog_ratio_to_rated_input": BACKLOG / spent.wall / RATED_PER_SECOND,
        "sink_worker_us_per_row": 1e6 * cpu / BACKLOG,
        "sink_worker_peak_mb": peak,
        "sink_backlog_engine_us_per_row": 1e6 * spent.engine / BACKLOG,
    }


def stored(stack: Stack) -> int:
    """Rows that ClickHouse has."""
    return int(stack.query(f"SELECT count() AS n FROM {DATABASE}.events")[0]["n"])


def us(rounds: list[Round], figure: Callable[[Round], float]) -> float:
    """Microseconds a row: the median of the rounds."""
    return 1e6 * median(figure(one) for one in rounds) / ROWS


def measure() -> dict[str, float]:
    """Medians of interleaved rounds, and one backlog."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder) / "data", only="kafka,clickhouse") as stack,
    ):
        ours, theirs = uvloop.run(alternate(stack))
        backlog = drain(stack, Path(folder))
    figures: dict[str, float] = {"sink_rows_an_insert": ROWS}
    for name, figure in FIGURES.items():
        a, b = us(ours, figure), us(theirs, figure)
        figures |= {
            f"sink_{name}_us_per_row": a,
            f"connect_{name}_us_per_row": b,
            f"sink_{name}_ratio": b / a,
        }
    return figures | backlog


FIGURES: dict[str, Callable[[Round], float]] = {
    "insert_client": lambda one: one.inserted.client,
    "insert_wall": lambda one: one.inserted.wall,
    "insert_engine": lambda one: one.inserted.engine,
    "copy_client": lambda one: one.made.client + one.inserted.client,
    "copy_wall": lambda one: one.made.wall + one.inserted.wall,
}
