"""aiokafka as the services use it: idempotent producers, consumer groups, time, long polls; also on Apache Kafka."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import MessageSizeTooLargeError

from tests.embedded.kafka.clients import consuming, next_records, producing, until_assigned
from tests.embedded.kafka.conftest import create_topic


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_every_codec_carries_every_part_of_a_record(
    kafka_endpoint: str, topic: str, codec: str | None
) -> None:
    headers = [("trace", b"\x00\xff"), ("trace", b"twice"), ("empty", b"")]
    async with producing(kafka_endpoint, compression_type=codec) as producer:
        for number in range(200):
            value = b"value" * number
            await producer.send(topic, value, key=b"%d" % number, headers=headers, timestamp_ms=1000 + number)
        await producer.flush()
    async with consuming(topic, endpoint=kafka_endpoint) as consumer:
        records = await next_records(consumer, 200)
    got = [(each.offset, each.key, each.value, each.timestamp) for each in records]
    assert got == [(number, b"%d" % number, b"value" * number, 1000 + number) for number in range(200)]
    assert all(each.headers == tuple(headers) for each in records)


async def test_tombstones_and_empty_values_differ(kafka_endpoint: str, topic: str) -> None:
    async with producing(kafka_endpoint) as producer:
        await producer.send_and_wait(topic, None, key=b"gone")
        await producer.send_and_wait(topic, b"", key=b"empty")
    async with consuming(topic, endpoint=kafka_endpoint) as consumer:
        assert [each.value for each in await next_records(consumer, 2)] == [None, b""]


async def test_large_record_passes_where_the_topic_allows_it(
    kafka_endpoint: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    roomy = await create_topic(admin, max_message_bytes="8000000")
    large = bytes(range(256)) * 20_000
    async with producing(kafka_endpoint, max_request_size=8_000_000) as producer:
        await producer.send_and_wait(roomy, large)
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(topic, large)
    async with consuming(roomy, endpoint=kafka_endpoint) as consumer:
        assert (await next_records(consumer, 1))[0].value == large


async def test_group_resumes_after_its_commit(kafka_endpoint: str, topic: str) -> None:
    group = f"group-{uuid4().hex}"
    async with producing(kafka_endpoint) as producer:
        for number in range(10):
            await producer.send_and_wait(topic, b"%d" % number)
    async with consuming(topic, endpoint=kafka_endpoint, group_id=group) as consumer:
        await next_records(consumer, 10)
        await consumer.commit({TopicPartition(topic, 0): (7, "half way")})
        assert await consumer.committed(TopicPartition(topic, 0)) == 7
    async with consuming(topic, endpoint=kafka_endpoint, group_id=group) as consumer:
        assert [each.value for each in await next_records(consumer, 3)] == [b"7", b"8", b"9"]


async def test_two_members_share_the_partitions_and_one_takes_over(
    kafka_endpoint: str, admin: AIOKafkaAdminClient
) -> None:
    topic, group = await create_topic(admin, partitions=4), f"group-{uuid4().hex}"
    async with (
        producing(kafka_endpoint) as producer,
        consuming(topic, endpoint=kafka_endpoint, group_id=group) as first,
    ):
        assert len(first.assignment()) == 4
        async with consuming(topic, endpoint=kafka_endpoint, group_id=group) as second:
            await until_assigned(first, 2)
            assert len(second.assignment()) == 2
            assert not first.assignment() & second.assignment()
            for partition in range(4):
                await producer.send_and_wait(topic, b"%d" % partition, partition=partition)
            got = [await next_records(each, 2) for each in (first, second)]
            assert sorted(each.value for some in got for each in some) == [b"0", b"1", b"2", b"3"]
            await first.commit()
            await second.commit()
        await until_assigned(first, 4)
        for partition in range(4):
            await producer.send_and_wait(topic, b"again", partition=partition)
        assert [each.value for each in await next_records(first, 4)] == [b"again"] * 4


async def test_seek_by_time(kafka_endpoint: str, topic: str) -> None:
    async with producing(kafka_endpoint) as producer:
        for number in range(20):
            await producer.send_and_wait(topic, b"%d" % number, timestamp_ms=10_000 + number * 100)
    async with consuming(topic, endpoint=kafka_endpoint) as consumer:
        partition = TopicPartition(topic, 0)
        found = await consumer.offsets_for_times({partition: 11_050})
        assert (found[partition].offset, found[partition].timestamp) == (11, 11_100)
        assert await consumer.offsets_for_times({partition: 99_000}) == {partition: None}
        consumer.seek(partition, found[partition].offset)
        assert (await next_records(consumer, 1))[0].value == b"11"
        assert await consumer.beginning_offsets([partition]) == {partition: 0}
        assert await consumer.end_offsets([partition]) == {partition: 20}


async def test_waiting_consumer_gets_a_record_at_once(kafka_endpoint: str, topic: str) -> None:
    async with (
        producing(kafka_endpoint) as producer,
        consuming(topic, endpoint=kafka_endpoint, fetch_max_wait_ms=5000) as consumer,
    ):
        delays = []
        for _ in range(20):
            waiting = asyncio.create_task(consumer.getone())
            started = time.monotonic()
            await producer.send_and_wait(topic, b"news")
            await waiting
            delays.append(time.monotonic() - started)
    assert sorted(delays)[10] < 0.25


async def test_topics_are_not_created_by_asking(kafka_endpoint: str, admin: AIOKafkaAdminClient) -> None:
    described: list[dict[str, Any]] = await admin.describe_topics(["nobody-created-this"])
    assert described[0]["error_code"] == 3
    assert "nobody-created-this" not in await admin.list_topics()
