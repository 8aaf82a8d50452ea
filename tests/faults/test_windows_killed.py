"""kill -9 of the windows worker again and again, while it folds, flushes and restores: every answer counts once."""

from __future__ import annotations

import threading
from random import Random

import pytest

from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.ledger import Ledger, answers, await_exact
from tests.faults.sender import Sender
from tests.faults.worker import Worker

EVENTS = 200_000
BATCH = 400
KILLS = 20
TOUCHPOINTS = 200
BAD_SHARE = 0.03
WORKING_SECONDS = 0.8
"""At most so long after it is ready a worker is killed: it has the answers of its absence to fold."""
RESTORING_SHARE, RESTORING_SECONDS = 0.2, 3.0
"""This share of the kills does not wait until the worker is ready."""
RECOVERY_SECONDS = 60.0
"""Longer is stuck. How long it took is reported: a busy machine takes several times as long as an idle one."""
CATCH_UP_SECONDS = 120.0


@pytest.mark.faults
@pytest.mark.ci(kafka="embedded")
@pytest.mark.ci(kafka="apache")
@pytest.mark.timeout(900)
def test_windows_worker_killed(make_stack: MakeStack, random: Random, ledger: Ledger, report: Report) -> None:
    stack = make_stack(only="kafka,clickhouse,ingest,sink,alerts")
    sent = answers(random, EVENTS, TOUCHPOINTS, BAD_SHARE)
    share = EVENTS // KILLS
    sender, pause, recovered = Sender(stack, ledger), threading.Event(), []

    with Worker(stack, "windows") as worker:
        for kill in range(KILLS):
            with sender.sending(sent[kill * share : (kill + 1) * share], BATCH):
                if random.random() < RESTORING_SHARE:
                    pause.wait(random.random() * RESTORING_SECONDS)
                else:
                    recovered.append(worker.await_ready())
                    pause.wait(random.random() * WORKING_SECONDS)
                worker.kill()
                worker.start()
        recovered.append(worker.await_ready())
        await_exact(stack, ledger.answers(), CATCH_UP_SECONDS)

    report(events=len(ledger.answers()), kills=KILLS, recovered=recovered)
    assert max(recovered) <= RECOVERY_SECONDS
