"""A bad contact does not wait for the scores: its signal leaves before the flush."""

from __future__ import annotations

import time

import pytest

from tests.conftest import MakeStack
from tests.stack import wait_for
from tests.webhook import WebhookReceiver

pytestmark = pytest.mark.slow


def test_a_team_is_told_within_a_second_when_flushes_are_rare(
    make_stack: MakeStack, webhook: WebhookReceiver
) -> None:
    stack = make_stack(env={"ALERTS_WEBHOOK_URL": webhook.url, "AGGREGATOR_FLUSH_SECONDS": "30"})
    answers = [{"touchpoint": "chat", "metric": "nps", "score": 0, "event_id": f"e{n}"} for n in range(2)]
    stack.post(answers[0])
    wait_for(lambda: webhook.requests, 20, "the first message")

    posted = time.time()
    stack.post(answers[1])
    wait_for(lambda: len(webhook.requests) == 2, 20, "the second message")

    assert webhook.requests[1].at - posted < 1.0
