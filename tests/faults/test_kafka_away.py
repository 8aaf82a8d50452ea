"""Kafka stands still, or is killed and away: answers get 503 until it is back, and what got 202 is counted once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults.conftest import Report
from tests.faults.ledger import Ledger, answers, await_exact
from tests.faults.sender import Sender
from tests.faults.stores import Kafka, kafka_store
from tests.stack import Stack

EVENTS = 30_000
BATCH = 50
RATE = 500.0
TOUCHPOINTS = 100
BAD_SHARE = 0.05
BEFORE_SECONDS = 10.0
STOPPED_SECONDS = 30.0
AWAY_SECONDS = 60.0
RECOVERY_SECONDS = 60.0
"""From the return of Kafka until everything is exact; what was not sent meanwhile is sent in this time, too."""
DRAIN_SECONDS = 150.0

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

    settle(stack, sender, back, report)


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

    settle(stack, sender, back, report)


def settle(stack: Stack, sender: Sender, back: float, report: Report) -> None:
    """Wait until everything is exact, and assert that this did not take long since Kafka was back."""
    sent = time.monotonic() - back
    assert not stack.ended, stack.logs()
    await_exact(stack, sender.ledger.answers(), DRAIN_SECONDS)
    recovered = time.monotonic() - back
    statuses = dict(sender.statuses)

    report(events=EVENTS, kills=1, recovered=[recovered], sent_s=round(sent, 1), statuses=statuses)
    assert recovered <= RECOVERY_SECONDS
