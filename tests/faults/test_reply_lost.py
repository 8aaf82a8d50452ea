"""ClickHouse takes an insert and its reply is lost, hundreds of times: no row is missing, and none is there twice."""

from __future__ import annotations

from random import Random
from urllib.parse import urlsplit

import pytest

from tests.conftest import MakeStack
from tests.faults.conftest import Report
from tests.faults.ledger import Ledger, answers, await_exact, count
from tests.faults.proxy import LosingProxy
from tests.faults.sender import Sender
from tests.faults.worker import Worker
from tests.stack import Stack, request

LOST = 500
SHARE = 0.5
BATCH, BATCHES = 100, 3
"""So many new answers are sent at a time, until so many replies are lost."""
RATE = 300.0
TOUCHPOINTS = 50
BAD_SHARE = 0.05
SMALL_INSERTS = {"AGGREGATOR_SINK_FLUSH_SECONDS": "0.05", "AGGREGATOR_SINK_BATCH_ROWS": "100"}
CATCH_UP_SECONDS = 300.0


@pytest.mark.faults
@pytest.mark.ci(kafka="embedded")
@pytest.mark.timeout(900)
def test_replies_to_inserts_lost(
    make_stack: MakeStack, random: Random, ledger: Ledger, report: Report
) -> None:
    stack = make_stack(only="kafka,clickhouse,ingest,windows,alerts")
    sender = Sender(stack, ledger)
    keep_every_row(stack)
    clickhouse = urlsplit(stack.url("clickhouse"))
    assert clickhouse.hostname
    assert clickhouse.port

    with LosingProxy((clickhouse.hostname, clickhouse.port), Random(random.random()), SHARE, LOST) as proxy:
        env = {"CLICKHOUSE_URL": f"http://default:@127.0.0.1:{proxy.port}", **SMALL_INSERTS}
        with Worker(stack, "sink", env) as sink:
            sink.await_ready()
            while proxy.lost < LOST:
                sender.send(answers(random, BATCH * BATCHES, TOUCHPOINTS, BAD_SHARE), BATCH, RATE)
            await_exact(stack, ledger.answers(), CATCH_UP_SECONDS)
            assert sink.terminate() == 0

    rows = count(stack, "SELECT count() AS n FROM feedback.events")
    report(events=len(ledger.answers()), kills=proxy.lost, recovered=[], inserts=proxy.inserts, rows=rows)
    assert rows == len(ledger.answers()), "a repeated insert left rows of its own"


def keep_every_row(stack: Stack) -> None:
    """Stop merges: they would remove repeated rows before they are counted."""
    status, said = request("POST", stack.url("clickhouse"), b"SYSTEM STOP MERGES feedback.events")
    assert status == 200, said
