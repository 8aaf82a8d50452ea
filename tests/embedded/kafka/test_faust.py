"""Faust workers, with a table and its changelog: they share, take over, and survive the broker's kill -9."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.embedded.kafka.clients import consuming, producing
from tests.embedded.kafka.process import BrokerProcess

MODULE = "tests.embedded.kafka.faust_worker"


async def _worker(broker: BrokerProcess, name: str, directory: Path) -> Process:
    arguments = (broker.endpoint, "source", "copies", name, str(directory / name))
    log = (directory / f"{name}.log").open("w")
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", MODULE, *arguments, stdout=log, stderr=log
        )
    finally:
        log.close()


async def _members(admin: AIOKafkaAdminClient, count: int) -> None:
    """Waits until the group is stable with so many members that each hold partitions."""
    async with asyncio.timeout(40):
        while True:
            (answer,) = await admin.describe_consumer_groups(["copier-source"])
            _, _, state, _, _, members, *_ = answer.groups[0]
            if state == "Stable" and len(members) == count:
                return
            await asyncio.sleep(0.05)


async def _send(producer: AIOKafkaProducer, numbers: range) -> None:
    for number in numbers:
        await producer.send("source", b"%d" % number, partition=number % 4)
    await producer.flush()


async def _copied(consumer: AIOKafkaConsumer, numbers: range) -> dict[int, str]:
    """Waits for copies of all these numbers; gives who copied each."""
    by: dict[int, str] = {}
    async with asyncio.timeout(40):
        while not by.keys() >= set(numbers):
            fetched: dict[Any, Any] = await consumer.getmany(timeout_ms=500)
            by |= {int(each.value): each.key.decode() for some in fetched.values() for each in some}
    return by


async def test_two_workers_join_leave_and_survive_the_broker(broker: BrokerProcess, tmp_path: Path) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.endpoint)
    await admin.start()
    await admin.create_topics([NewTopic("source", 4, 1), NewTopic("copies", 1, 1)])
    workers = [await _worker(broker, "one", tmp_path)]
    try:
        async with (
            producing(broker.endpoint, retry_backoff_ms=50) as producer,
            consuming("copies", endpoint=broker.endpoint, retry_backoff_ms=50) as copies,
        ):
            await _send(producer, range(100))
            assert set((await _copied(copies, range(100))).values()) == {"one"}
            workers.append(await _worker(broker, "two", tmp_path))
            await _members(admin, 2)
            await _send(producer, range(100, 200))
            by = await _copied(copies, range(100, 200))
            assert {by[number] for number in range(100, 200)} == {"one", "two"}
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
            await _send(producer, range(200, 300))
            await _copied(copies, range(200, 300))
            workers[0].send_signal(signal.SIGTERM)
            assert await workers[0].wait() == 0
            await _members(admin, 1)  # Faust may drop what comes while it gives its partitions up
            await _send(producer, range(300, 400))
            by = await _copied(copies, range(300, 400))
            assert {by[number] for number in range(300, 400)} == {"two"}
    finally:
        await admin.close()
        for worker in workers:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
