"""kill -9 of the windows worker and the customers worker, by turns: each signal about a customer exists once."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random

import pytest

from schemas.signals import Signal
from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.drained import await_drained
from tests.faults.ledger import Answers, Ledger, answers
from tests.faults.sender import Sender
from tests.faults.worker import Worker
from tests.faults.written import signals_of

CUSTOMERS = 2_000
BAD, GOOD = 6_000, 4_000
BATCH = 200
TOUCHPOINTS = 200
KILLS = 6
WORKING_SECONDS = 1.5
CATCH_UP_SECONDS = 90.0


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_customers_worker_killed(
    make_stack: MakeStack, random: Random, ledger: Ledger, report: Report
) -> None:
    stack = make_stack(only="kafka,clickhouse,ingest,sink,alerts")
    sender, recovered = Sender(stack, ledger), []
    bad = of_customers(random, answers(random, BAD, TOUCHPOINTS, bad_share=1.0))
    good = of_customers(
        random, [one | {"metric": "csat", "score": 5} for one in answers(random, GOOD, TOUCHPOINTS)]
    )

    with Worker(stack, "windows") as windows, Worker(stack, "customers") as customers:
        for sent in (bad, good):  # which comes first must not be left to chance
            recovered += kill_by_turns(sender, sent, [windows, customers], random)
            await_drained(stack, CATCH_UP_SECONDS)

    noticed = signals_of(stack.url("kafka"))
    unhappy = Counter(answer["customer_id"] for answer in bad)
    assert repeats(noticed) == Counter({who: n - 1 for who, n in unhappy.items() if n > 1})
    assert recoveries(noticed) == Counter({answer["customer_id"] for answer in good} & unhappy.keys())
    report(events=len(ledger.answers()), kills=2 * KILLS, recovered=recovered, signals=len(noticed))


def kill_by_turns(sender: Sender, sent: Answers, workers: list[Worker], random: Random) -> list[float]:
    """Post all while one worker after the other is killed and started again; seconds until each was ready."""
    share, pause, recovered = len(sent) // KILLS, threading.Event(), []
    for kill in range(KILLS):
        worker = workers[kill % 2]
        with sender.sending(sent[kill * share : (kill + 1) * share], BATCH):
            recovered.append(worker.await_ready())
            pause.wait(random.random() * WORKING_SECONDS)
            worker.kill()
            worker.start()
    sender.send(sent[KILLS * share :], BATCH)
    return recovered + [worker.await_ready() for worker in workers]


def of_customers(random: Random, made: Answers) -> Answers:
    """The answers, each of one of the customers."""
    return [one | {"customer_id": f"c{random.randrange(CUSTOMERS)}"} for one in made]


def repeats(noticed: dict[str, Signal]) -> Counter[str]:
    """How many repeated bad contacts were noticed of each customer."""
    kinds = [signal for signal in noticed.values() if signal.kind == "repeat_bad_contact"]
    return Counter(signal.contact.customer_id for signal in kinds)


def recoveries(noticed: dict[str, Signal]) -> Counter[str]:
    """How many recoveries."""
    return Counter(s.contact.customer_id for s in noticed.values() if s.kind == "recovered")
