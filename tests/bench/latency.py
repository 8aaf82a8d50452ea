"""From the POST of a bad answer to its message at the team's webhook, with the whole stack on one machine."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles

from tests.bench.processes import resident_mb
from tests.stack import Stack, wait_for
from tests.webhook import WebhookReceiver

RATE = 500
BATCH = 10
SECONDS = 20
BAD_EVERY = 20


def answer(number: int, score: int) -> dict[str, object]:
    """One answer, known by its number."""
    return {"touchpoint": f"t{number % 50}", "metric": "csat", "score": score, "event_id": f"l{number}"}


def post_steadily(stack: Stack) -> dict[str, float]:
    """Post RATE answers a second; when each bad one was posted, by its id."""
    posted: dict[str, float] = {}
    pause = threading.Event()
    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        for number in range(RATE * SECONDS // BATCH):
            numbers = range(number * BATCH, (number + 1) * BATCH)
            batch = [answer(i, 1 if i % BAD_EVERY == 0 else 5) for i in numbers]
            pause.wait(max(0.0, started + number * BATCH / RATE - time.perf_counter()))
            posted |= {f"l{i}": time.time() for i in numbers if i % BAD_EVERY == 0}
            pool.submit(stack.post, batch)
    return posted


def measure() -> dict[str, float]:
    """Milliseconds from POST to webhook, resident memory of each part, seconds to ready."""
    with tempfile.TemporaryDirectory() as folder, WebhookReceiver() as webhook:
        started = time.perf_counter()
        with Stack(Path(folder) / "data", env={"ALERTS_WEBHOOK_URL": webhook.url}) as stack:
            ready = time.perf_counter() - started
            posted = post_steadily(stack)
            wait_for(
                lambda: len(webhook.requests) >= len(posted), 60, "the webhook was told of every bad answer"
            )
            delays = [1000 * (r.at - posted[r.json()["data"]["event_id"]]) for r in webhook.requests]
            memory = {f"resident_mb_{part}": resident_mb(pid) for part, pid in stack.endpoints.pids.items()}
    cuts = quantiles(delays, n=100)
    return {
        "seconds_to_ready": ready,
        "latency_rate_per_second": RATE,
        "latency_messages": len(delays),
        "latency_p50_ms": cuts[49],
        "latency_p99_ms": cuts[98],
        **memory,
    }
