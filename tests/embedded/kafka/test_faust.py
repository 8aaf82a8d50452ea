"""Faust workers, with a table and its changelog: they share, take over, and survive the broker's kill -9."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.embedded.kafka.clients import consuming, producing
from tests.embedded.kafka.process import BrokerProcess

pytestmark = pytest.mark.slow

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


async def _members(admin: AIOKafkaAdminClient) -> int:
    (answer,) = await admin.describe_consumer_groups(["copier-source"])
    return len(answer.groups[0][5])


async def _until_copied_by(
    names: set[str], producer: AIOKafkaProducer, copies: AIOKafkaConsumer, numbers: Iterator[int]
) -> None:
    """Sends a number to each partition until exactly these workers copied all of one round.

    Not the first round: Faust may drop, and commit, what comes while its partitions change hands.
    """
    async with asyncio.timeout(30):
        while True:
            sent = {next(numbers) for _ in range(4)}
            for number in sent:
                await producer.send("source", b"%d" % number, partition=number % 4)
            by: dict[int, str] = {}
            for _ in range(10):
                fetched: dict[Any, Any] = await copies.getmany(timeout_ms=200)
                by |= {int(each.value): each.key.decode() for some in fetched.values() for each in some}
                if by.keys() >= sent and {by[number] for number in sent} == names:
                    return


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
            flow = (producer, copies, count())
            await _until_copied_by({"one"}, *flow)
            workers.append(await _worker(broker, "two", tmp_path))
            await _until_copied_by({"one", "two"}, *flow)
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
            await _until_copied_by({"one", "two"}, *flow)
            assert await _members(admin) == 2
            workers[0].send_signal(signal.SIGTERM)
            assert await workers[0].wait() == 0
            await _until_copied_by({"two"}, *flow)
            assert await _members(admin) == 1
    finally:
        await admin.close()
        for worker in workers:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
