"""aiokafka's admin client: topics, their settings, groups; also on Apache Kafka."""

from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidPartitionsError

from tests.embedded.kafka.clients import consuming, next_records, producing
from tests.embedded.kafka.conftest import create_topic


async def _partitions(admin: AIOKafkaAdminClient, topic: str) -> list[int]:
    (described,) = await admin.describe_topics([topic])
    assert described["error_code"] == 0
    return sorted(each["partition"] for each in described["partitions"])


async def _settings(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    ((error, _, _, _, entries),) = answer.resources
    assert error == 0
    return {entry[0]: entry[1] for entry in entries}


async def test_topic_is_described_as_created(admin: AIOKafkaAdminClient) -> None:
    topic = await create_topic(admin, partitions=3, cleanup_policy="compact", retention_ms="1234")
    assert await _partitions(admin, topic) == [0, 1, 2]
    settings = await _settings(admin, topic)
    assert (settings["cleanup.policy"], settings["retention.ms"]) == ("compact", "1234")
    assert settings["max.message.bytes"] == "1048588"


@pytest.mark.parametrize(
    ("name", "partitions", "configs", "error"),
    [
        ("not a legal name", 1, {}, 17),
        ("..", 1, {}, 17),
        ("fine", 0, {}, 37),
        ("fine", 1, {"no.such.setting": "1"}, 40),
        ("fine", 1, {"retention.ms": "soon"}, 40),
        ("fine", 1, {"cleanup.policy": "shred"}, 40),
    ],
)
async def test_topics_that_cannot_be(
    admin: AIOKafkaAdminClient, name: str, partitions: int, configs: dict[str, str], error: int
) -> None:
    created = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
    assert created.topic_errors[0][1] == error
    assert name not in await admin.list_topics()


async def test_topic_exists_already(admin: AIOKafkaAdminClient, topic: str) -> None:
    created = await admin.create_topics([NewTopic(topic, 1, 1)])
    assert created.topic_errors[0][1] == 36


async def test_validating_creates_nothing(admin: AIOKafkaAdminClient) -> None:
    name = f"topic-{uuid4().hex}"
    created = await admin.create_topics([NewTopic(name, 1, 1)], validate_only=True)
    assert created.topic_errors[0][1] == 0
    assert name not in await admin.list_topics()


async def test_deleted_topic_starts_empty_when_created_again(
    kafka_endpoint: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    async with producing(kafka_endpoint) as producer:
        await producer.send_and_wait(topic, b"old")
    deleted = await admin.delete_topics([topic])
    assert deleted.topic_error_codes[0][1] == 0
    assert topic not in await admin.list_topics()
    assert (await admin.delete_topics([topic])).topic_error_codes[0][1] == 3
    await admin.create_topics([NewTopic(topic, 1, 1)])
    async with producing(kafka_endpoint) as producer:
        assert (await producer.send_and_wait(topic, b"new")).offset == 0
    async with consuming(topic, endpoint=kafka_endpoint) as consumer:
        assert (await next_records(consumer, 1))[0].value == b"new"


async def test_partitions_can_only_grow(kafka_endpoint: str, admin: AIOKafkaAdminClient, topic: str) -> None:
    async with producing(kafka_endpoint) as producer:
        await producer.send_and_wait(topic, b"kept", partition=0)
    grown = await admin.create_partitions({topic: NewPartitions(3)})
    assert grown.topic_errors[0][1] == 0
    assert await _partitions(admin, topic) == [0, 1, 2]
    with pytest.raises(InvalidPartitionsError):
        await admin.create_partitions({topic: NewPartitions(2)})
    async with consuming(topic, endpoint=kafka_endpoint) as consumer:
        assert (await next_records(consumer, 1))[0].value == b"kept"


async def test_settings_can_be_altered(admin: AIOKafkaAdminClient, topic: str) -> None:
    wanted = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "60000"})
    (altered,) = await admin.alter_configs([wanted])
    assert altered.resources[0][0] == 0
    assert (await _settings(admin, topic))["retention.ms"] == "60000"


async def test_groups_are_listed_described_and_keep_offsets(
    kafka_endpoint: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    group = f"group-{uuid4().hex}"
    async with consuming(topic, endpoint=kafka_endpoint, group_id=group) as consumer:
        await consumer.commit({TopicPartition(topic, 0): (0, "note")})
        (answer,) = await admin.describe_consumer_groups([group])
        described = answer.groups[0]
        assert described[:4] == (0, group, "Stable", "consumer")
        assert len(described[5]) == 1
    assert (group, "consumer") in await admin.list_consumer_groups()
    offsets = await admin.list_consumer_group_offsets(group)
    assert offsets[TopicPartition(topic, 0)] == (0, "note")
    (answer,) = await admin.describe_consumer_groups([group])
    assert answer.groups[0][2] == "Empty"


async def test_records_can_be_deleted_up_to_an_offset(
    kafka_endpoint: str, admin: AIOKafkaAdminClient, topic: str
) -> None:
    async with producing(kafka_endpoint) as producer:
        for number in range(5):
            await producer.send_and_wait(topic, b"%d" % number)
    partition = TopicPartition(topic, 0)
    await admin.delete_records({partition: RecordsToDelete(before_offset=3)})
    async with consuming(topic, endpoint=kafka_endpoint) as consumer:
        assert await consumer.beginning_offsets([partition]) == {partition: 3}
        assert [each.value for each in await next_records(consumer, 2)] == [b"3", b"4"]
