"""What the sender was told: the answers that ingest acknowledged, and what ClickHouse must show of them."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from schemas.scoring import METRICS, SCALES, is_bad
from tests.faults.drained import Missing, await_drained
from tests.stack import Stack, wait_for

Answers = list[dict[str, Any]]
Cell = tuple[str, str, int]
"""Touchpoint, metric, score."""

LOOK_SECONDS = 0.5
"""Between two looks at how far ClickHouse is."""


class Ledger:
    """The acknowledged answers, on disk before the sender goes on; several threads may write."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._writing = threading.Lock()

    def acknowledge(self, batch: Answers) -> None:
        """Note that these were answered with 202."""
        lines = b"".join(json.dumps(answer).encode() + b"\n" for answer in batch)
        with self._writing, self._file.open("ab") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def answers(self) -> Answers:
        """All that was acknowledged, each id once."""
        lines = self._file.read_bytes().splitlines()
        return list({answer["event_id"]: answer for answer in map(json.loads, lines)}.values())


def answers(random: Random, count: int, touchpoints: int, bad_share: float | None = None) -> Answers:
    """Answers with ids of their own; their scores are spread evenly, or this share of them is bad."""
    made = []
    for number in range(count):
        metric = random.choice(METRICS)
        scale = SCALES[metric]
        lowest, highest = scale.lowest, scale.highest
        if bad_share is not None:
            bad = random.random() < bad_share
            lowest, highest = (lowest, scale.bottom_to) if bad else (scale.bottom_to + 1, highest)
        made.append(
            {
                "event_id": f"{number}-{random.getrandbits(40):x}",
                "touchpoint": f"t{random.randrange(touchpoints)}",
                "metric": metric,
                "score": random.randint(lowest, highest),
            }
        )
    return made


def cells(sent: Answers) -> Counter[Cell]:
    """How often each score was given."""
    return Counter((a["touchpoint"], a["metric"], a["score"]) for a in sent)


def raw_cells(stack: Stack) -> Counter[Cell]:
    """The same from the raw answers in ClickHouse."""
    sql = "SELECT touchpoint, metric, score, toUInt32(count()) AS n FROM feedback.events FINAL GROUP BY ALL"
    return Counter({(r["touchpoint"], r["metric"], r["score"]): r["n"] for r in stack.query(sql)})


def pane_cells(stack: Stack, table: str) -> Counter[Cell]:
    """The same from the panes in ClickHouse."""
    sql = (
        f"SELECT touchpoint, metric, toUInt32(number) AS score, toUInt32(sum(hits)) AS n FROM ("
        f"SELECT touchpoint, metric, arrayJoin(arrayZip(range(length(hist)), hist)) AS cell, "
        f"cell.1 AS number, cell.2 AS hits FROM feedback.{table} FINAL) GROUP BY ALL HAVING n > 0"
    )
    return Counter({(r["touchpoint"], r["metric"], r["score"]): r["n"] for r in stack.query(sql)})


def await_exact(stack: Stack, sent: Answers, seconds: float) -> None:
    """Wait until everything is read, and assert that ClickHouse has what was acknowledged, and no more."""
    await_drained(stack, seconds)
    expected, ids = cells(sent), {answer["event_id"] for answer in sent}
    assert len(ids) == len(sent)
    assert raw_total(stack) == len(sent)
    assert raw_cells(stack) == expected
    assert pane_cells(stack, "panes_1m") == expected
    assert pane_cells(stack, "panes_1h") == expected
    assert alerted(stack) == bad_ids(sent)


def await_total(total: Callable[[], int], wanted: int, seconds: float, what: str) -> None:
    """Wait until a count is reached; says how much is missing when it never is."""
    pause = threading.Event()

    def reached() -> Missing | bool:
        if (short := wanted - total()) <= 0:
            return True
        pause.wait(LOOK_SECONDS)
        return Missing(short)

    wait_for(reached, seconds, what)


def bad_ids(sent: Answers) -> set[str]:
    """Which answers are bad contacts."""
    return {answer["event_id"] for answer in sent if is_bad(answer["metric"], answer["score"])}


def raw_total(stack: Stack) -> int:
    """Raw answers with an id of their own."""
    return count(stack, "SELECT uniqExact(event_id) AS n FROM feedback.events FINAL")


def pane_total(stack: Stack, table: str) -> int:
    """Answers in the panes."""
    return count(stack, f"SELECT sum(n) AS n FROM feedback.{table} FINAL")


def alerted(stack: Stack) -> set[str]:
    """The answers about which there is an alert of a bad contact."""
    sql = "SELECT event_id FROM feedback.alerts FINAL WHERE kind = 'bad_contact'"
    return {row["event_id"] for row in stack.query(sql)}


def count(stack: Stack, sql: str) -> int:
    """The one number `n` that a query gives."""
    return int(stack.query(sql)[0]["n"])
