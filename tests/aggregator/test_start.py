"""A worker that starts while Kafka is away waits for it, instead of ending until its supervisor gives up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT, wait_for


@pytest.mark.parametrize("worker", ["windows", "customers", "sink"])
def test_a_worker_waits_for_kafka(worker: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    env = os.environ | {"KAFKA_BOOTSTRAP": "127.0.0.1:9", "AGGREGATOR_DATA_DIR": str(tmp_path)}
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "services.aggregator", worker],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(lambda: log.read_text().count("waiting for Kafka") >= 2, 30, "it says that it waits, twice")
        assert started.poll() is None
    finally:
        started.terminate()
        started.wait(10)
