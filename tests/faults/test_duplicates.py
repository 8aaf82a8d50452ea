"""Several clients send the same answers again and again, each in its own order: each counts once, as first sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.ledger import Ledger, answers, await_exact, count
from tests.faults.sender import Sender

ANSWERS = 10_000
CLIENTS, TIMES = 4, 5
ALTERED = 100
"""So many are sent once more with another comment."""
BATCH = 250
TOUCHPOINTS = 100
BAD_SHARE = 0.05
DRAIN_SECONDS = 120.0


@pytest.mark.faults
@pytest.mark.ci(kafka="embedded")
@pytest.mark.timeout(600)
def test_the_same_answers_again(
    make_stack: MakeStack, random: Random, ledger: Ledger, report: Report
) -> None:
    stack = make_stack()
    once = answers(random, ANSWERS, TOUCHPOINTS, BAD_SHARE)
    shuffled = [[random.sample(once, ANSWERS) for _ in range(TIMES)] for _ in range(CLIENTS)]

    def client(orders: list[list[dict[str, object]]]) -> None:
        sender = Sender(stack, ledger)
        for order in orders:
            sender.send(order, BATCH)

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client, shuffled))
    stack.post([{**answer, "comment": "altered"} for answer in random.sample(once, ALTERED)])
    await_exact(stack, ledger.answers(), DRAIN_SECONDS)

    sent = ANSWERS * CLIENTS * TIMES
    stored = count(stack, "SELECT count() AS n FROM feedback.events FINAL")
    report(events=sent, kills=0, recovered=[], stored=stored)
    assert stored == ANSWERS
    assert count(stack, "SELECT count() AS n FROM feedback.events FINAL WHERE comment != ''") == 0
    reasons = stack.query(
        "SELECT reason, toUInt32(count()) AS n FROM feedback.rejected FINAL GROUP BY reason"
    )
    assert reasons == [{"reason": "conflicting_duplicate", "n": ALTERED}]
