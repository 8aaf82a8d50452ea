"""ClickHouse is away for minutes: answers are taken, alerts are told, and the sink catches up when it is back."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from random import Random

import pytest

from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.ledger import Ledger, answers, await_exact, await_total, bad_ids, raw_total
from tests.faults.sender import Sender
from tests.faults.stores import Store
from tests.stack import wait_for
from tests.webhook import WebhookReceiver

RATE = 300.0
BATCH = 30
BEFORE_SECONDS, AFTER_SECONDS = 10.0, 40.0
TOUCHPOINTS = 100
BAD_SHARE = 0.05
TELL_SECONDS = 10.0
SINK_MB = 300
CATCH_UP_FACTOR = 3
"""How much faster than the input the backlog goes, the start of ClickHouse and the sink's last pause included."""
CATCH_UP_SECONDS = 120.0


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("minutes", [pytest.param(2, marks=pytest.mark.ci(kafka="apache")), 10])
def test_clickhouse_away(  # noqa: PLR0913
    minutes: int,
    make_stack: MakeStack,
    tmp_path: Path,
    random: Random,
    ledger: Ledger,
    webhook: WebhookReceiver,
    report: Report,
) -> None:
    away = minutes * 60.0
    with Store("clickhouse", tmp_path / "clickhouse") as clickhouse:
        stack = make_stack(env={**clickhouse.env, "ALERTS_WEBHOOK_URL": webhook.url})
        sender, pause = Sender(stack, ledger), threading.Event()
        sent = answers(random, int(RATE * (BEFORE_SECONDS + away + AFTER_SECONDS)), TOUCHPOINTS, BAD_SHARE)

        with sender.sending(sent, BATCH, RATE):
            pause.wait(BEFORE_SECONDS)
            copied = raw_total(stack)
            clickhouse.vanish()
            pause.wait(away)
            due = bad_ids(ledger.answers())
            wait_for(lambda: told(webhook) >= due, TELL_SECONDS, "teams are told meanwhile")
            back, behind = time.monotonic(), len(ledger.answers())
            clickhouse.start()
            await_total(lambda: raw_total(stack), behind, CATCH_UP_SECONDS, "the backlog is copied")
            seconds = time.monotonic() - back
            rate = (behind - copied) / seconds
        await_exact(stack, ledger.answers(), CATCH_UP_SECONDS)
        megabytes = peak_megabytes(stack.pid("sink"))
        stack.stop()

    report(events=len(sent), kills=1, recovered=[seconds], rows_per_second=round(rate), sink_mb=megabytes)
    assert set(sender.statuses) == {202}
    assert megabytes <= SINK_MB
    assert rate >= CATCH_UP_FACTOR * RATE


def told(webhook: WebhookReceiver) -> set[str]:
    """The bad contacts that the team's webhook was told about."""
    data = [request.json()["data"] for request in webhook.requests]
    return {alert["event_id"] for alert in data if alert["kind"] == "bad_contact"}


def peak_megabytes(pid: int) -> int:
    """The most memory that a process has had so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))
