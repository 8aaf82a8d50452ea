"""How long a windows worker takes to have the state of 100,000 touchpoints back, and how much memory they take."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.aggregator import Windows, committed
from tests.bench.peers.load import SPAN, Ledger, answers, produce
from tests.stack import Stack, wait_for

TOUCHPOINTS = 100_000
ANSWERS_EACH = 3
FOLD_SECONDS = 180.0


def measure() -> dict[str, float]:
    """Seconds from the start of the process until it is ready, and resident MiB: with the touchpoints and without."""
    with tempfile.TemporaryDirectory() as name, Stack(Path(name) / "data", only="kafka") as stack:
        folder, bootstrap = Path(name), stack.url("kafka")
        with Windows(bootstrap, folder) as empty:
            empty_seconds, empty_mb = empty.await_ready(), empty.resident_mb()
        count = TOUCHPOINTS * ANSWERS_EACH
        asyncio.run(produce(bootstrap, answers(count, TOUCHPOINTS, datetime.now(UTC) - SPAN), Ledger()))
        with Windows(bootstrap, folder) as worker:
            wait_for(lambda: asyncio.run(committed(bootstrap)) >= count, FOLD_SECONDS, "all committed")
            worker.process.kill()
        with Windows(bootstrap, folder) as restored:
            seconds, megabytes = restored.await_ready(), restored.resident_mb()
    return {
        "restore_touchpoints": TOUCHPOINTS,
        "restore_seconds": seconds,
        "restore_empty_seconds": empty_seconds,
        "restore_resident_mb": megabytes,
        "restore_kb_per_touchpoint": 1024 * (megabytes - empty_mb) / TOUCHPOINTS,
    }
