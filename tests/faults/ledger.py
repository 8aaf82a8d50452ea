"""What the sender was told: the events that ingest acknowledged, and what ClickHouse must show of them."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from schemas.scoring import METRICS, SCALES
from tests.stack import Stack

Cell = tuple[str, str, int]
"""Touchpoint, metric, score."""


def answers(random: Random, count: int, touchpoints: int) -> list[dict[str, Any]]:
    """Answers with ids of their own."""
    made = []
    for number in range(count):
        metric = random.choice(METRICS)
        scale = SCALES[metric]
        made.append(
            {
                "event_id": f"{number}-{random.getrandbits(40):x}",
                "touchpoint": f"t{random.randrange(touchpoints)}",
                "metric": metric,
                "score": random.randint(scale.lowest, scale.highest),
            }
        )
    return made


def cells(sent: list[dict[str, Any]]) -> Counter[Cell]:
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
