"""The embedded broker as a process: its directory, its port, its end, and what an end at any moment may not lose."""

import asyncio
import os
import resource
import signal
import stat
import sys
import time
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TransactionalIdAuthorizationFailed
from kafka.protocol.metadata import FindCoordinatorRequest

from tests.embedded.kafka.clients import consuming, next_records, producing, until_assigned, until_longer
from tests.embedded.kafka.process import BrokerProcess, launch
from tests.embedded.kafka.wire import Wire, batch, fetch_request, produce_request

KILLS = 4


async def _create(endpoint: str, topic: str, partitions: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=endpoint)
    await admin.start()
    await admin.create_topics([NewTopic(topic, partitions, 1)])
    await admin.close()


def test_directory_is_private(broker: BrokerProcess) -> None:
    assert stat.S_IMODE(os.stat(broker.data).st_mode) == 0o700


def test_second_process_on_a_directory_says_so(broker: BrokerProcess) -> None:
    second = launch(broker.data, "0")
    complaint = second.communicate(timeout=10)[1]
    assert second.returncode == 2
    assert complaint.count("\n") == 1
    assert str(broker.data) in complaint


def test_taken_port_is_named(broker: BrokerProcess, tmp_path: Path) -> None:
    taken = broker.endpoint.rpartition(":")[2]
    second = launch(tmp_path / "elsewhere", taken)
    complaint = second.communicate(timeout=10)[1]
    assert second.returncode == 2
    assert complaint.count("\n") == 1
    assert taken in complaint


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stops_at_once_and_answers_waiting_fetches(broker: BrokerProcess, number: int) -> None:
    await _create(broker.endpoint, "t")
    with Wire(broker.endpoint) as wire, Wire(broker.endpoint) as producer:
        waiting = wire.send(fetch_request("t", 0, max_wait_ms=30_000, min_bytes=1 << 20))
        pending = [producer.send(produce_request("t", batch(b"x"))) for _ in range(20)]
        assert [
            producer.receive(each).responses[0].partition_responses[0].error_code for each in pending
        ] == [0] * 20
        started = time.monotonic()
        assert broker.stop(number) == 0
        assert time.monotonic() - started < 2
        assert wire.receive(waiting).responses[0].partitions[0].high_watermark == 20


async def test_duplicate_is_known_after_a_kill(broker: BrokerProcess) -> None:
    await _create(broker.endpoint, "t")
    with Wire(broker.endpoint) as wire:
        producer = (wire.new_producer_id(), 0, 0)
        assert wire.produce("t", batch(b"a", b"b", producer=producer)) == (0, 0)
    broker.kill()
    broker.start()
    with Wire(broker.endpoint) as wire:
        assert wire.produce("t", batch(b"a", b"b", producer=producer)) == (0, 0)
        assert wire.fetch("t", 0).high_watermark == 2
        assert wire.new_producer_id() > producer[0]


@pytest.mark.parametrize("fsync", ["always", "interval"])
async def test_kills_lose_nothing_acknowledged(tmp_path: Path, fsync: str) -> None:
    broker = BrokerProcess(tmp_path / "kafka", "--fsync", fsync)
    try:
        await _survive_kills(broker)
    finally:
        broker.close()


async def _survive_kills(broker: BrokerProcess) -> None:
    """An idempotent producer goes on through kills; the log then holds what it sent, once and in order."""
    await _create(broker.endpoint, "t", partitions=2)
    sent: list[list[int]] = [[], []]
    over = False

    async with producing(broker.endpoint, retry_backoff_ms=50, linger_ms=1) as producer:

        async def produce(partition: int) -> None:
            while not over:
                futures = []
                for _ in range(20):
                    sent[partition].append(len(sent[partition]))
                    value = b"%d" % sent[partition][-1]
                    futures.append(await producer.send("t", value, partition=partition))
                await asyncio.gather(*futures)

        producers = [asyncio.create_task(produce(partition)) for partition in (0, 1)]
        for _ in range(KILLS):
            await until_longer(sent[0], len(sent[0]) + 300)
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
        over = True
        await asyncio.gather(*producers)
    for partition, numbers in enumerate(sent):
        assert len(numbers) > KILLS * 200
        async with consuming(endpoint=broker.endpoint) as consumer:
            consumer.assign([TopicPartition("t", partition)])
            await consumer.seek_to_beginning()
            stored = [int(each.value) for each in await next_records(consumer, len(numbers))]
            assert stored == numbers
            end = await consumer.end_offsets([TopicPartition("t", partition)])
            assert list(end.values()) == [len(numbers)]


async def test_group_goes_on_after_a_kill(broker: BrokerProcess) -> None:
    """The member keeps its partitions and its offsets, and the group its generation."""
    await _create(broker.endpoint, "t", partitions=2)
    async with (
        producing(broker.endpoint, retry_backoff_ms=50) as producer,
        consuming("t", endpoint=broker.endpoint, group_id="g", retry_backoff_ms=50) as consumer,
    ):
        await producer.send_and_wait("t", b"before", partition=1)
        await next_records(consumer, 1)
        await consumer.commit()
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        await producer.send_and_wait("t", b"after", partition=1)
        async with asyncio.timeout(15):
            while not (fetched := await consumer.getmany(timeout_ms=100)):
                pass
        assert [each.value for some in fetched.values() for each in some] == [b"after"]
        await consumer.commit()
        assert await consumer.committed(TopicPartition("t", 1)) == 2


@pytest.mark.slow
async def test_killed_member_is_let_go_before_its_session_ends(broker: BrokerProcess) -> None:
    await _create(broker.endpoint, "t", partitions=2)
    patient = {"session_timeout_ms": 60_000, "heartbeat_interval_ms": 200, "rebalance_timeout_ms": 60_000}
    async with consuming("t", endpoint=broker.endpoint, group_id="g", **patient) as survivor:
        doomed = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.embedded.kafka.member", broker.endpoint, "t", "g"
        )
        await until_assigned(survivor, 1)
        doomed.kill()
        await doomed.wait()
        started = time.monotonic()
        await until_assigned(survivor, 2)
        assert time.monotonic() - started < 12


async def test_full_disk_is_answered_and_survived(broker: BrokerProcess) -> None:
    await _create(broker.endpoint, "t")
    with Wire(broker.endpoint) as wire:
        assert wire.produce("t", batch(b"kept")) == (0, 0)
        limit = sum(each.stat().st_size for each in broker.data.iterdir())
        resource.prlimit(broker.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        answers = [(0, 0)]
        while answers[-1][0] == 0:
            answers.append(wire.produce("t", batch(bytes(500_000))))
    assert answers[-1] == (56, -1)
    complaint = broker.complaint()
    assert broker.process.returncode == 1
    assert complaint.count("\n") == 1
    broker.start()
    with Wire(broker.endpoint) as wire:
        assert wire.fetch("t", 0).high_watermark == len(answers) - 1
        assert wire.produce("t", batch(b"more")) == (0, len(answers) - 1)


async def test_transactions_are_refused(broker: BrokerProcess) -> None:
    await _create(broker.endpoint, "t")
    with pytest.raises(TransactionalIdAuthorizationFailed):
        async with producing(broker.endpoint, transactional_id="tx"):
            pass
    with Wire(broker.endpoint) as wire:
        answer = wire.ask(produce_request("t", batch(b"x"), transactional_id="tx"))
        assert answer.responses[0].partition_responses[0].error_code == 53
        answer = wire.ask(FindCoordinatorRequest(version=2, key="tx", key_type=1))
        assert (answer.error_code, "no transactions" in answer.error_message) == (53, True)


async def test_formats_before_v2_are_refused(broker: BrokerProcess) -> None:
    await _create(broker.endpoint, "t")
    old = bytearray(batch(b"x"))
    old[16] = 1
    with Wire(broker.endpoint) as wire:
        assert wire.produce("t", bytes(old))[0] == 43
