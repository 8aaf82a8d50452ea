"""`aftertouch provision` on running stores: run twice it changes nothing, and it sets right what is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.stack import ROOT, Stack


@pytest.fixture(params=["embedded", pytest.param("apache", marks=pytest.mark.apache)])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path / "data", kafka=str(request.param), only="kafka,clickhouse") as running:
        yield running


def _provision(stores: Stack) -> tuple[int, list[str]]:
    where = {"KAFKA_BOOTSTRAP": stores.url("kafka"), "CLICKHOUSE_URL": stores.url("clickhouse")}
    command = [sys.executable, "-m", "deploy.cli", "provision"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | where, capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


async def _make_rejected_anew(bootstrap: str) -> None:
    """feedback.rejected with other partitions, another retention, and a setting of the operator's own."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(["feedback.rejected"])
        config = {"cleanup.policy": "delete", "retention.ms": "1000", "segment.bytes": "2000000"}
        await admin.create_topics([NewTopic("feedback.rejected", 3, 1, topic_configs=config)])
    finally:
        await admin.close()


async def test_provisions_what_differs_and_nothing_else(stores: Stack) -> None:
    code, said = _provision(stores)
    assert (code, said[0]) == (0, "The topics are as declared.")

    await _make_rejected_anew(stores.url("kafka"))
    code, said = _provision(stores)
    assert code == 1
    assert said[0].startswith(
        "feedback.rejected: retention.ms set to 604800000, has 3 partitions instead of 12"
    )

    code, said = _provision(stores)
    assert said[0].startswith("feedback.rejected: has 3 partitions instead of 12, which is left as it is")


def test_tables_and_views_are_there_for_the_reader(stores: Stack) -> None:
    names = {
        row["name"] for row in stores.query("SELECT name FROM system.tables WHERE database = 'feedback'")
    }
    assert {"events", "panes_1m", "panes_1h", "alerts", "rejected", "current_scores"} <= names
    assert stores.query("SELECT * FROM feedback.current_scores") == []


def test_a_store_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    nowhere = {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "CLICKHOUSE_URL": "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "provision"],
        cwd=ROOT,
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("aftertouch: The topics could not be made on Kafka at 127.0.0.1:1: ")
    assert len(done.stderr.splitlines()) == 1
