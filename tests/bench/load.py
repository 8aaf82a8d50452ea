"""The load of the benchmarks: a process of its own that posts answers over loopback for a bounded time.

`python -m tests.bench.load URL KEY SECONDS CONCURRENCY BATCH` prints requests answered 202 and seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp
import uvloop


def body(batch: int, number: int) -> bytes:
    """One request: an object, or an array of them."""
    answers = [
        {
            "touchpoint": f"t{(number + i) % 50}",
            "metric": "csat",
            "score": 1 + (number + i) % 5,
            "customer_id": f"c{number % 977}",
            "comment": "It took a while, but they solved it." if i % 3 == 0 else "",
        }
        for i in range(batch)
    ]
    return json.dumps(answers[0] if batch == 1 else answers).encode()


async def run(url: str, key: str, seconds: float, concurrency: int, batch: int) -> None:
    """Post from that many clients until the time is up."""
    bodies = [body(batch, number) for number in range(64)]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    end, accepted = time.perf_counter() + seconds, 0

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        nonlocal accepted
        while time.perf_counter() < end:
            number += 1
            async with session.post(url, data=bodies[number % len(bodies)], headers=headers) as answer:
                accepted += answer.status == 202

    started = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        await asyncio.gather(*(client(session, number) for number in range(concurrency)))
    print(accepted, time.perf_counter() - started)


if __name__ == "__main__":
    url, key, seconds, concurrency, batch = sys.argv[1:]
    uvloop.run(run(url, key, float(seconds), int(concurrency), int(batch)))
