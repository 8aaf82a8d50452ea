"""Events per second of the windows worker, against a bare aiokafka consumer of the same topic."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Self

import urllib3
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.feedback import Event, encode, topic_key
from schemas.scoring import METRICS
from schemas.topics import EVENTS
from tests.bench.processes import cpu_seconds, resident_mb
from tests.bench.scores import usual_score
from tests.stack import ROOT, Stack, request, wait_for

COUNT = 200_000
ROUNDS = 3
GROUP = "aftertouch-windows"
PORT = "18902"


def answers(count: int) -> Iterator[Event]:
    """Answers of 500 touchpoints, 2 ms apart; every third has a comment."""
    random, start = Random(1), datetime.now(UTC) - timedelta(minutes=10)
    for number in range(count):
        metric, at = random.choice(METRICS), start + timedelta(milliseconds=number * 2)
        yield Event(
            workspace="default",
            touchpoint=f"t{random.randrange(500)}",
            metric=metric,
            score=usual_score(random, metric),
            event_id=f"{number}-{random.getrandbits(48):x}",
            occurred_at=at,
            received_at=at,
            customer_id=f"c{random.randrange(10**5)}",
            comment="It took a while, but they solved it." if number % 3 == 0 else "",
        )


async def produce(bootstrap: str, count: int) -> None:
    """Put answers on the topic."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=1 << 18
    )
    await producer.start()
    for event in answers(count):
        await producer.send(EVENTS.name, encode(event), topic_key(event.workspace, event.touchpoint))
    await producer.stop()


async def committed(bootstrap: str) -> int:
    """How many events the windows worker has committed."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=GROUP, enable_auto_commit=False)
    await consumer.start()
    partitions = [TopicPartition(EVENTS.name, number) for number in range(EVENTS.partitions)]
    consumer.assign(partitions)
    found = [await consumer.committed(tp) or 0 for tp in partitions]
    await consumer.stop()
    return sum(found)


class Windows:
    """A windows worker as a process, ended by the end of the `with`."""

    def __init__(self, bootstrap: str, data: Path) -> None:
        env = os.environ | {
            "KAFKA_BOOTSTRAP": bootstrap,
            "AGGREGATOR_PORT": PORT,
            "AGGREGATOR_DATA_DIR": str(data),
            "AGGREGATOR_LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-m", "services.aggregator", "windows"]
        self.started = time.perf_counter()
        with (data / "windows.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)

    def await_ready(self) -> float:
        """Seconds from the start until it has restored its partitions."""
        wait_for(lambda: is_ready(PORT), 120, "the worker is ready")
        return time.perf_counter() - self.started

    def resident_mb(self) -> float:
        """MiB in memory."""
        return resident_mb(self.process.pid)


def run_windows(bootstrap: str, data: Path, expected: int) -> tuple[float, float]:
    """CPU and wall seconds of a worker from its start until that many events are committed."""
    with Windows(bootstrap, data) as worker:
        worker.await_ready()
        wait_for(lambda: asyncio.run(committed(bootstrap)) >= expected, 120, "all committed")
        return cpu_seconds(worker.process.pid), time.perf_counter() - worker.started


def is_ready(port: str) -> bool:
    """Whether the worker has restored its partitions."""
    try:
        return request("GET", f"http://127.0.0.1:{port}/readyz")[0] == 200
    except urllib3.exceptions.HTTPError:
        return False


def bare(bootstrap: str) -> float:
    """CPU seconds of the bare consumer."""
    command = [sys.executable, "-m", "tests.bench.bare_consumer", bootstrap, str(COUNT)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split()[0])


def measure() -> dict[str, float]:
    """Microseconds of CPU per event, and the ratio of the medians."""
    ours, yardstick, walls = [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder, Stack(Path(folder) / "data", only="kafka") as stack:
            data, bootstrap = Path(folder), stack.url("kafka")
            start_cpu, start_wall = run_windows(bootstrap, data, expected=0)
            asyncio.run(produce(bootstrap, COUNT))
            yardstick.append(bare(bootstrap))
            cpu, wall = run_windows(bootstrap, data, expected=COUNT)
            ours.append(cpu - start_cpu)
            walls.append(wall - start_wall)
    ours, yardstick, walls = sorted(ours), sorted(yardstick), sorted(walls)
    middle = ROUNDS // 2
    return {
        "aggregator_events": COUNT,
        "aggregator_us_per_event": 1e6 * ours[middle] / COUNT,
        "aggregator_events_per_second_per_core": COUNT / ours[middle],
        "aggregator_events_per_second_wall": COUNT / walls[middle],
        "bare_consumer_us_per_event": 1e6 * yardstick[middle] / COUNT,
        "aggregator_ratio_to_bare_consumer": yardstick[middle] / ours[middle],
    }
