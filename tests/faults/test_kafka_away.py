"""Kafka stands still, or is killed and away: answers get 503 until it is back, and what got 202 is counted once."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from random import Random

import pytest

from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.ledger import Ledger, answers, await_exact
from tests.faults.sender import Sender
from tests.faults.stores import Store
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


@pytest.fixture
def embedded_only(kafka_kind: str) -> None:
    """These tests stop or kill the process of the embedded broker."""
    if kafka_kind != "embedded":
        pytest.skip("needs the embedded broker's process")


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("embedded_only")
def test_kafka_stands_still(make_stack: MakeStack, random: Random, ledger: Ledger, report: Report) -> None:
    stack = make_stack()
    sender, pause = Sender(stack, ledger), threading.Event()
    sent = answers(random, EVENTS, TOUCHPOINTS, BAD_SHARE)

    with sender.sending(sent, BATCH, RATE):
        pause.wait(BEFORE_SECONDS)
        broker = stack.pid("kafka")
        os.kill(broker, signal.SIGSTOP)
        try:
            pause.wait(STOPPED_SECONDS)
        finally:
            os.kill(broker, signal.SIGCONT)
        back = time.monotonic()
    recovered = settle(stack, ledger, back)

    report(events=EVENTS, kills=1, recovered=[recovered], statuses=dict(sender.statuses))
    assert recovered <= RECOVERY_SECONDS


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("embedded_only")
def test_kafka_killed_and_away(
    make_stack: MakeStack, tmp_path: Path, random: Random, ledger: Ledger, report: Report
) -> None:
    with Store("kafka", tmp_path / "kafka") as kafka:
        stack = make_stack(env=kafka.env)
        sender, pause = Sender(stack, ledger), threading.Event()
        sent = answers(random, EVENTS, TOUCHPOINTS, BAD_SHARE)

        with sender.sending(sent, BATCH, RATE):
            pause.wait(BEFORE_SECONDS)
            kafka.vanish()
            pause.wait(AWAY_SECONDS)
            kafka.start()
            back = time.monotonic()
        recovered = settle(stack, ledger, back)
        stack.stop()

    report(events=EVENTS, kills=1, recovered=[recovered], statuses=dict(sender.statuses))
    assert recovered <= RECOVERY_SECONDS


def settle(stack: Stack, ledger: Ledger, back: float) -> float:
    """Wait until everything is exact; gives the seconds since Kafka was back, the rest of the sending included."""
    assert not stack.ended, stack.logs()
    await_exact(stack, ledger.answers(), DRAIN_SECONDS)
    return time.monotonic() - back
