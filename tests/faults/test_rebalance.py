"""Windows workers come and go amid a steady stream, every second of those that go by kill -9: all stays exact."""

from __future__ import annotations

import signal
import threading
import time
from random import Random

import pytest

from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.ledger import Ledger, answers, await_exact
from tests.faults.sender import Sender
from tests.faults.worker import Worker

WORKERS = (1, 4, 2, 4, 1, 3, 2)
EVERY_SECONDS = 10.0
EVENTS = 100_000
RATE = EVENTS / (len(WORKERS) * EVERY_SECONDS)
BATCH = 200
TOUCHPOINTS = 200
BAD_SHARE = 0.03
SESSION = {"AGGREGATOR_SESSION_TIMEOUT_SECONDS": "12"}
"""The default: four workers that start at once keep each other's event loops waiting for seconds."""
CATCH_UP_SECONDS = 120.0


@pytest.mark.faults
@pytest.mark.ci(kafka="embedded")
@pytest.mark.timeout(600)
def test_workers_come_and_go(make_stack: MakeStack, random: Random, ledger: Ledger, report: Report) -> None:
    stack = make_stack(only="kafka,clickhouse,ingest,sink,alerts")
    sender, pause = Sender(stack, ledger), threading.Event()
    sent = answers(random, EVENTS, TOUCHPOINTS, BAD_SHARE)
    spare = [Worker(stack, "windows", SESSION, number) for number in range(1, max(WORKERS) + 1)]
    running: list[Worker] = []
    ends: list[int] = []

    try:
        with sender.sending(sent, BATCH, RATE):
            for wanted in WORKERS:
                while len(running) < wanted:
                    running.append(spare.pop())
                    running[-1].start()
                while len(running) > wanted:
                    leaving = running.pop(random.randrange(len(running)))
                    ends.append(leaving.end(killed=len(ends) % 2 == 0))
                    spare.append(leaving)
                pause.wait(EVERY_SECONDS)
        over = time.monotonic()
        await_exact(stack, ledger.answers(), CATCH_UP_SECONDS)
        recovered = [time.monotonic() - over]
    finally:
        for worker in running:
            worker.end(killed=True)

    report(events=EVENTS, kills=ends.count(-9), recovered=recovered, exit_codes=ends)
    assert set(ends) <= {0, -signal.SIGKILL, -signal.SIGTERM}, (
        "SIGTERM before a worker has begun ends it at once"
    )
