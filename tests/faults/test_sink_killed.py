"""kill -9 of the sink, every second time exactly between insert and commit: no row is missing, none counts twice."""

from __future__ import annotations

import signal
import threading
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.ledger import Answers, Ledger, answers, await_exact
from tests.faults.sender import Sender
from tests.faults.worker import Worker
from tests.stack import wait_for

EVENTS = 200_000
BATCH = 400
KILLS = 20
TOUCHPOINTS = 200
BAD_SHARE = 0.03
WORKING_SECONDS = 0.8
RECOVERY_SECONDS = 60.0
"""Longer is stuck. How long it took is reported: a busy machine takes several times as long as an idle one."""
CATCH_UP_SECONDS = 120.0


@pytest.mark.faults
@pytest.mark.ci(kafka="embedded")
@pytest.mark.timeout(900)
def test_sink_killed(
    make_stack: MakeStack, tmp_path: Path, random: Random, ledger: Ledger, report: Report
) -> None:
    stack = make_stack(only="kafka,clickhouse,ingest,windows,alerts")
    sent = answers(random, EVENTS, TOUCHPOINTS, BAD_SHARE)
    share = EVENTS // KILLS
    sender, pause, recovered = Sender(stack, ledger), threading.Event(), []
    failpoint = tmp_path / "die-after-insert"

    with Worker(stack, "sink", {"AGGREGATOR_FAILPOINT_AFTER_INSERT": str(failpoint)}) as sink:
        for kill in range(KILLS):
            *most, last = batches(sent[kill * share : (kill + 1) * share])
            with sender.sending(list(chain(*most)), BATCH):
                recovered.append(sink.await_ready())
                pause.wait(random.random() * WORKING_SECONDS)
                if kill % 2:
                    failpoint.touch()
                    sender.post(last)  # there is something to insert, however fast the sink was
                    wait_for(lambda: sink.ended, 30, "the sink has died after an insert")
                    assert sink.reap() == -signal.SIGKILL
                else:
                    sink.kill()
                    sender.post(last)
                sink.start()
        recovered.append(sink.await_ready())
        await_exact(stack, ledger.answers(), CATCH_UP_SECONDS)

    report(events=len(ledger.answers()), kills=KILLS, recovered=recovered)
    assert max(recovered) <= RECOVERY_SECONDS


def batches(some: Answers) -> list[Answers]:
    """As they are posted."""
    return [some[start : start + BATCH] for start in range(0, len(some), BATCH)]
