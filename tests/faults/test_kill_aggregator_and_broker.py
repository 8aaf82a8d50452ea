"""kill -9 of windows, sink and broker amid 20,000 events: ClickHouse equals the acknowledged ledger exactly."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections import Counter
from random import Random
from typing import Any

import urllib3

from tests.conftest import MakeStack
from tests.faults.ledger import answers, cells, pane_cells, raw_cells
from tests.stack import Stack, wait_for

EVENTS = 20_000
BATCH = 100
SEED = 20_261_123
CATCH_UP_SECONDS = 90.0


def test_counts_equal_the_ledger_after_kill_9(make_stack: MakeStack) -> None:
    print(f"seed {SEED}")
    random = Random(SEED)
    stack = make_stack()
    sent = answers(random, EVENTS, touchpoints=40)
    kills = {
        EVENTS // 5: "windows",
        2 * EVENTS // 5: "kafka",
        3 * EVENTS // 5: "sink",
        4 * EVENTS // 5: "windows",
    }
    if "kafka" not in stack.endpoints.pids:
        kills = {at: name for at, name in kills.items() if name != "kafka"}

    for start in range(0, EVENTS, BATCH):
        if start in kills:
            kill_soon(stack, kills[start], after=random.random() * 0.3)
        post_until_acknowledged(stack, sent[start : start + BATCH])

    expected = cells(sent)
    wait_for(lambda: sum(raw_cells(stack).values()) >= EVENTS, CATCH_UP_SECONDS, "all raw answers are there")
    wait_for(lambda: total(stack, "panes_1m") >= EVENTS, CATCH_UP_SECONDS, "all panes are there")
    wait_for(lambda: total(stack, "panes_1h") >= EVENTS, CATCH_UP_SECONDS, "all panes are there")
    assert raw_cells(stack) == expected
    assert pane_cells(stack, "panes_1m") == expected
    assert pane_cells(stack, "panes_1h") == expected
    assert current(stack) == Counter(a["touchpoint"] for a in sent)
    assert killed_parts(stack) == set(kills.values())


def kill_soon(stack: Stack, part: str, after: float) -> None:
    """kill -9 the part while the next batches are on their way."""
    threading.Timer(after, os.kill, (stack.pid(part), signal.SIGKILL)).start()


def post_until_acknowledged(stack: Stack, batch: list[dict[str, Any]]) -> None:
    """As a well-behaved client: send the same batch again until it is told 202."""

    def acknowledged() -> bool:
        try:
            return stack.post(batch)[0] == 202
        except urllib3.exceptions.HTTPError:
            return False

    wait_for(acknowledged, 60, "a batch is acknowledged")


def total(stack: Stack, table: str) -> int:
    """All answers in the panes."""
    return int(stack.query(f"SELECT toUInt32(sum(n)) AS n FROM feedback.{table} FINAL")[0]["n"])


def current(stack: Stack) -> Counter[str]:
    """Answers of the last 7 days by touchpoint, as the view says."""
    rows = stack.query("SELECT touchpoint, toUInt32(n) AS n FROM feedback.current_scores WHERE window = '7d'")
    found: Counter[str] = Counter()
    for row in rows:
        found[row["touchpoint"]] += row["n"]
    return found


def killed_parts(stack: Stack) -> set[str]:
    """The parts of which `up` said that they had to be started again."""
    said = stack.output.read_text()
    return set(re.findall(r"^(\w+) .* is started again", said, re.MULTILINE))
