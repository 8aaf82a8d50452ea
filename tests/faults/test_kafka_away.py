"""Kafka stands still, or is killed and away: answers get 503 until it is back, and what got 202 is counted once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tests.faults.conftest import Report
from tests.faults.ledger import Ledger, answers, await_exact, count
from tests.faults.sender import Sender
from tests.faults.stores import Kafka, kafka_store
from tests.stack import Stack, wait_for

EVENTS = 30_000
BATCH = 100
RATE = 500.0
TOUCHPOINTS = 100
BAD_SHARE = 0.05
BEFORE_SECONDS = 10.0
STOPPED_SECONDS = 30.0
AWAY_SECONDS = 60.0
RECOVERY_SECONDS = 60.0
"""From the return of Kafka until a new answer is in ClickHouse, counted, and an alert."""
DRAIN_SECONDS = 150.0
LOG_LINES = 500
"""A Kafka client repeats itself many times a second while its broker is away: its log must not."""
TABLES = ("events", "panes_1m", "panes_1h", "alerts")

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600), pytest.mark.ci(kafka="apache")]


@pytest.fixture
def kafka(kafka_kind: str, tmp_path: Path) -> Iterator[Kafka]:
    """The broker that goes away."""
    with kafka_store(kafka_kind, tmp_path / "kafka") as store:
        yield store


@pytest.fixture
def stack(kafka: Kafka, tmp_path: Path) -> Iterator[Stack]:
    """Everything else."""
    with Stack(tmp_path / "data", kafka.env) as running:
        yield running


def test_kafka_stands_still(
    kafka: Kafka, stack: Stack, random: Random, ledger: Ledger, report: Report
) -> None:
    sender, pause = Sender(stack, ledger), threading.Event()

    with sender.sending(answers(random, EVENTS, TOUCHPOINTS, BAD_SHARE), BATCH, RATE):
        pause.wait(BEFORE_SECONDS)
        os.kill(kafka.broker, signal.SIGSTOP)
        try:
            pause.wait(STOPPED_SECONDS)
        finally:
            os.kill(kafka.broker, signal.SIGCONT)
        back = time.monotonic()
        shown = await_shown(stack, sender)

    settle(stack, sender, back, shown, report)


def test_kafka_killed_and_away(
    kafka: Kafka, stack: Stack, random: Random, ledger: Ledger, report: Report
) -> None:
    sender, pause = Sender(stack, ledger), threading.Event()

    with sender.sending(answers(random, EVENTS, TOUCHPOINTS, BAD_SHARE), BATCH, RATE):
        pause.wait(BEFORE_SECONDS)
        kafka.vanish()
        pause.wait(AWAY_SECONDS)
        kafka.start()
        back = time.monotonic()
        shown = await_shown(stack, sender)

    settle(stack, sender, back, shown, report)


class Shown(NamedTuple):
    """When an answer had been taken, and when it was in ClickHouse in all ways; monotonic seconds."""

    taken: float
    everywhere: float


def await_shown(stack: Stack, sender: Sender) -> Shown:
    """Post a bad answer and wait until it is everywhere."""
    probe = {"event_id": "probe", "touchpoint": "probe", "metric": "csat", "score": 1}
    sender.post([probe])
    taken = time.monotonic()
    seen = {
        table: f"SELECT count() AS n FROM feedback.{table} FINAL WHERE touchpoint = 'probe'"
        for table in TABLES
    }
    for table, sql in seen.items():
        wait_for(lambda q=sql: count(stack, q), DRAIN_SECONDS, f"the answer is in {table}")  # type: ignore[misc]
    return Shown(taken, time.monotonic())


def settle(stack: Stack, sender: Sender, back: float, shown: Shown, report: Report) -> None:
    """Wait until everything is exact; what could not be sent meanwhile is sent in this time, too."""
    sent = time.monotonic()
    assert not stack.ended, stack.logs()
    await_exact(stack, sender.ledger.answers(), DRAIN_SECONDS)
    recovered = shown.everywhere - back
    times = {"taken": shown.taken, "all_sent": sent, "exact": time.monotonic()}

    after = {f"{name}_after_s": round(at - back, 1) for name, at in times.items()}
    report(events=len(sender.ledger.answers()), kills=1, recovered=[recovered], **after)
    assert recovered <= RECOVERY_SECONDS
    assert max(said(log) for log in (stack.data / "logs").iterdir()) <= LOG_LINES


def said(log: Path) -> int:
    """How many lines a part has logged."""
    return len(log.read_text().splitlines())
