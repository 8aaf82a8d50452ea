"""Requests and events per second of ingest, against a bare "FastAPI route + aiokafka send"."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import urllib3

from tests.stack import ROOT, Stack, request, wait_for

SECONDS = 6
ROUNDS = 3
CLIENTS = 32
BATCH = 100
BARE_PORT = 18900


def load(url: str, key: str, batch: int) -> float:
    """Requests a second that were answered 202."""
    command = [sys.executable, "-m", "tests.bench.load", url, key, str(SECONDS), str(CLIENTS), str(batch)]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split()
    return float(printed[0]) / float(printed[1])


def answers(url: str) -> bool:
    """Whether something answers there."""
    try:
        return request("GET", url)[0] > 0
    except urllib3.exceptions.HTTPError:
        return False


def measure() -> dict[str, float]:
    """Medians of interleaved rounds."""
    single, batched, bare = [], [], []
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder) / "data", only="kafka,ingest") as stack:
        command = [sys.executable, "-m", "tests.bench.bare_ingest", stack.url("kafka"), str(BARE_PORT)]
        yardstick = subprocess.Popen(command, cwd=ROOT)
        try:
            bare_url = f"http://127.0.0.1:{BARE_PORT}"
            wait_for(lambda: answers(f"{bare_url}/docs"), 30, "the bare route answers")
            for _ in range(ROUNDS):
                bare.append(load(f"{bare_url}/v1/feedback", "none", 1))
                single.append(load(f"{stack.url('ingest')}/v1/feedback", stack.keys["server"], 1))
                batched.append(
                    BATCH * load(f"{stack.url('ingest')}/v1/feedback", stack.keys["server"], BATCH)
                )
        finally:
            yardstick.terminate()
            yardstick.wait(20)
    return {
        "ingest_single_events_per_second": median(single),
        "ingest_batch_events_per_second": median(batched),
        "bare_route_events_per_second": median(bare),
        "ingest_single_ratio_to_bare_route": median(single) / median(bare),
        "ingest_batch_ratio_to_bare_route": median(batched) / median(bare),
    }
