"""One message in a hundred cannot be read: every good answer is counted, every bad message kept with its reason."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from schemas.topics import EVENTS as TOPIC
from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.ledger import Ledger, answers, await_exact
from tests.faults.producing import produce
from tests.faults.sender import Sender
from tests.stack import Stack

GOOD, POISON = 99_000, 1_000
ROUNDS = 200
TOUCHPOINTS = 200
BAD_SHARE = 0.03
DRAIN_SECONDS = 120.0

EVENT = {
    "workspace": "default",
    "touchpoint": "t0",
    "metric": "csat",
    "score": 5,
    "event_id": "poison",
    "occurred_at": "2026-01-01T00:00:00Z",
    "received_at": "2026-01-01T00:00:00Z",
}


def _event(**changes: Any) -> bytes:
    return json.dumps({k: v for k, v in {**EVENT, **changes}.items() if v is not ...}).encode()


KINDS: list[tuple[bytes | None, str]] = [
    (None, "json_invalid"),
    (b"", "json_invalid"),
    (b"{", "json_invalid"),
    (b"\xff\xfe\x00", "json_invalid"),
    (b"x" * 100_000, "json_invalid"),
    (_event(comment="\ud800"), "json_invalid"),
    (b"null", "not_an_object"),
    (b"[]", "not_an_object"),
    (_event(received_at=...), "field_missing"),
    (_event(comment=7), "field_invalid"),
    (_event(score="5"), "score_invalid"),
    (_event(score=6), "score_out_of_range"),
    (_event(metric="smile"), "metric_unknown"),
    (_event(touchpoint="T 0"), "touchpoint_invalid"),
    (_event(occurred_at="yesterday"), "occurred_at_invalid"),
]
"""What cannot be read, and the reason word it is kept with."""
KEPT = 65_536
"""Characters of it that are kept."""


@pytest.mark.faults
@pytest.mark.ci(kafka="embedded")
@pytest.mark.timeout(600)
def test_one_percent_poison(make_stack: MakeStack, random: Random, ledger: Ledger, report: Report) -> None:
    stack = make_stack()
    sender = Sender(stack, ledger)
    sent = answers(random, GOOD, TOUCHPOINTS, BAD_SHARE)
    share, few = GOOD // ROUNDS, POISON // ROUNDS
    expected: dict[tuple[int, int], tuple[str, str]] = {}

    for number in range(ROUNDS):
        sender.send(sent[number * share : (number + 1) * share], share)
        drawn = [random.choice(KINDS) for _ in range(few)]
        places = produce(stack, [(f"t{random.randrange(TOUCHPOINTS)}", value) for value, _ in drawn])
        for place, (value, reason) in zip(places, drawn, strict=True):
            expected[place] = (reason, (value or b"").decode("utf-8", "replace")[:KEPT])
    await_exact(stack, ledger.answers(), DRAIN_SECONDS)

    report(events=GOOD + POISON, kills=0, recovered=[], dead_letters=len(expected))
    assert len(expected) == POISON
    assert dead_letters(stack) == expected


def dead_letters(stack: Stack) -> dict[tuple[int, int], tuple[str, str]]:
    """Reason and payload of each, by where in feedback.events it stands."""
    sql = f"SELECT * FROM feedback.rejected FINAL WHERE src_topic = '{TOPIC.name}'"
    rows = stack.query(sql)
    return {(r["src_partition"], int(r["src_offset"])): (r["reason"], r["payload"]) for r in rows}
