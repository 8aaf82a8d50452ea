"""Answers in disorder and far too late ones: panes equal a batch recompute, and what came too late is counted."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.ledger import Answers, Ledger, answers, await_exact, count
from tests.faults.producing import produce
from tests.stack import Stack

EVENTS = 50_000
POSTED, BATCH = 5_000, 500
TOUCHPOINTS = 50
BAD_SHARE = 0.03
TOO_LATE_SHARE = 0.05
SHUFFLED_SECONDS = 3600.0
LIMIT_SECONDS = 7 * 86_400
DRAIN_SECONDS = 120.0
STEPS = {"panes_1m": 60, "panes_1h": 3600}

PaneCell = tuple[str, str, int, int]
"""Touchpoint, metric, start of the pane (seconds since 1970), score."""


@pytest.mark.faults
@pytest.mark.ci(kafka="embedded")
@pytest.mark.timeout(600)
def test_shuffled_and_too_late(make_stack: MakeStack, random: Random, ledger: Ledger, report: Report) -> None:
    stack = make_stack()
    made = backdated(random, EVENTS, datetime.now(UTC))
    good = [answer for answer in made if not answer["too_late"]]

    produce(stack, [(answer["touchpoint"], message(answer)) for answer in made])
    ledger.acknowledge(good)
    await_exact(stack, ledger.answers(), DRAIN_SECONDS)

    too_late = count(stack, "SELECT count() AS n FROM feedback.rejected FINAL WHERE reason = 'too_late'")
    report(events=EVENTS, kills=0, recovered=[], too_late=too_late)
    assert too_late == EVENTS - len(good)
    assert count(stack, "SELECT count() AS n FROM feedback.rejected FINAL") == too_late
    for table, step in STEPS.items():
        assert panes(stack, table) == recomputed(good, step)


@pytest.mark.faults
@pytest.mark.ci(kafka="embedded")
@pytest.mark.timeout(300)
def test_posted_shuffled_and_too_late(
    make_stack: MakeStack, random: Random, ledger: Ledger, report: Report
) -> None:
    stack = make_stack()
    made = backdated(random, POSTED, datetime.now(UTC))
    refused: Counter[str] = Counter()

    for start in range(0, POSTED, BATCH):
        batch = made[start : start + BATCH]
        status, receipt = stack.post([posted(answer) for answer in batch])
        assert status == 202
        reasons = {refusal["index"]: refusal["reason"] for refusal in receipt["rejected"]}
        assert reasons == {i: "too_late" for i, answer in enumerate(batch) if answer["too_late"]}
        refused.update(reasons.values())
        ledger.acknowledge([answer for answer in batch if not answer["too_late"]])
    await_exact(stack, ledger.answers(), DRAIN_SECONDS)

    report(events=POSTED, kills=0, recovered=[], too_late=refused["too_late"])
    for table, step in STEPS.items():
        assert panes(stack, table) == recomputed(ledger.answers(), step)


def backdated(random: Random, number: int, now: datetime) -> Answers:
    """Answers that arrive now and were given up to an hour ago, in no order; a few more than 7 days ago."""
    made = answers(random, number, TOUCHPOINTS, BAD_SHARE)
    for place, answer in enumerate(made):
        too_late = random.random() < TOO_LATE_SHARE
        ago = SHUFFLED_SECONDS * random.random() + (LIMIT_SECONDS + 1 if too_late else 0)
        received = now + timedelta(milliseconds=place)
        answer["too_late"] = too_late
        answer["received_at"] = received.isoformat()
        answer["occurred_at"] = (received - timedelta(seconds=ago)).isoformat()
    return made


def message(answer: dict[str, Any]) -> bytes:
    """The answer as ingest would write it."""
    return json.dumps(
        {"workspace": "default", **posted(answer), "received_at": answer["received_at"]}
    ).encode()


def posted(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as a client posts it."""
    return {name: value for name, value in answer.items() if name not in ("too_late", "received_at")}


def recomputed(good: Answers, step: int) -> Counter[PaneCell]:
    """What a batch job would make of the answers."""
    cells: Counter[PaneCell] = Counter()
    for answer in good:
        occurred = int(datetime.fromisoformat(answer["occurred_at"]).timestamp())
        cells[answer["touchpoint"], answer["metric"], occurred // step * step, answer["score"]] += 1
    return cells


def panes(stack: Stack, table: str) -> Counter[PaneCell]:
    """The same from ClickHouse."""
    rows = stack.query(
        f"SELECT touchpoint, metric, toUnixTimestamp(pane_start) AS start, sumForEach(hist) AS hits "
        f"FROM feedback.{table} FINAL GROUP BY ALL"
    )
    return Counter(
        {
            (r["touchpoint"], r["metric"], int(r["start"]), score): int(hits)
            for r in rows
            for score, hits in enumerate(r["hits"])
            if int(hits)
        }
    )
