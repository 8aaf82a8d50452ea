"""A broken sender on the real stack: the windows worker stops, tries again in vain, and goes on when told to."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.conftest import MakeStack
from tests.e2e.test_answer_to_alert import scores
from tests.e2e.test_poison import produce
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.slow

QUICK = {"AGGREGATOR_SESSION_TIMEOUT_SECONDS": "6"}
SORE = b"default/sore"


def dead_letters(stack: Stack) -> int:
    return int(stack.query("SELECT toUInt32(count()) AS n FROM feedback.rejected FINAL")[0]["n"])


def verdicts(stack: Stack) -> list[str]:
    """What the windows worker said at its end, each time."""
    log = (stack.data / "logs" / "windows.log").read_text()
    return re.findall(r"^aggregator: (.*) \(exit code 6, poisoned\)$", log, re.MULTILINE)


def test_a_run_of_poison_stops_the_worker_at_the_same_message_again_and_again(make_stack: MakeStack) -> None:
    stack = make_stack(env=QUICK)
    one = {"touchpoint": "sore", "metric": "csat", "score": 5}
    assert stack.post(one)[0] == 202
    asyncio.run(produce(stack.url("kafka"), SORE, [b"{"] * 60))
    wait_for(lambda: dead_letters(stack) == 60, 15, "the first 60 are dead letters: nobody can know yet")

    asyncio.run(produce(stack.url("kafka"), SORE, [b"{"] * 80))
    assert stack.post(one)[0] == 202

    wait_for(lambda: len(verdicts(stack)) >= 2, 60, "it stops twice")
    (first,) = set(verdicts(stack))
    assert "beginning at offset 1 " in first
    assert "Nothing from offset 100 on was taken" in first
    assert "windows ended with exit code 6 and is started again" in stack.output.read_text()
    assert 60 <= dead_letters(stack) <= 99
    stack.stop()

    going_on = make_stack(env={**QUICK, "AGGREGATOR_POISON_IN_A_ROW": "0"})
    wait_for(lambda: dead_letters(going_on) == 140, 30, "all of them are dead letters")
    wait_for(lambda: scores(going_on, "sore").get("5m", {}).get("n") == 2, 15, "both answers are counted")
