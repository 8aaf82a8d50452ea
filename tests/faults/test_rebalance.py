"""Windows workers come and go every few seconds, some stopped, some killed, amid a steady stream: all stays exact."""

from __future__ import annotations

import threading
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
KILLED_SHARE = 0.5
"""The others are asked to stop."""
CATCH_UP_SECONDS = 120.0


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_workers_come_and_go(make_stack: MakeStack, random: Random, ledger: Ledger, report: Report) -> None:
    stack = make_stack(only="kafka,clickhouse,ingest,sink,alerts")
    sender, pause, ends = Sender(stack, ledger), threading.Event(), []
    sent = answers(random, EVENTS, TOUCHPOINTS, BAD_SHARE)
    spare = [Worker(stack, "windows", number=number) for number in range(1, max(WORKERS) + 1)]
    running: list[Worker] = []

    try:
        with sender.sending(sent, BATCH, RATE):
            for wanted in WORKERS:
                while len(running) < wanted:
                    running.append(spare.pop())
                    running[-1].start()
                while len(running) > wanted:
                    leaving = running.pop(random.randrange(len(running)))
                    ends.append(leaving.end(killed=random.random() < KILLED_SHARE))
                    spare.append(leaving)
                pause.wait(EVERY_SECONDS)
        recovered = [worker.await_ready() for worker in running][-1:]
        await_exact(stack, ledger.answers(), CATCH_UP_SECONDS)
    finally:
        for worker in running:
            worker.end(killed=True)

    report(events=EVENTS, kills=ends.count(-9), recovered=recovered, exit_codes=ends)
    assert set(ends) <= {0, -9}
