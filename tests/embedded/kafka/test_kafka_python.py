"""kafka-python, which speaks the flexible versions that aiokafka does not; also on Apache Kafka."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType


@pytest.fixture
def flexible_admin(kafka_endpoint: str) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=kafka_endpoint)
    yield client
    client.close()


def test_group_resumes(kafka_endpoint: str, topic: str, flexible_admin: KafkaAdminClient) -> None:
    group = f"group-{uuid4().hex}"
    producer = KafkaProducer(bootstrap_servers=kafka_endpoint, enable_idempotence=True)
    for number in range(100):
        producer.send(topic, b"%d" % number, headers=[("h", b"v")])
    producer.flush()
    producer.close()
    assert _consumed(kafka_endpoint, topic, group, 60) == [b"%d" % number for number in range(60)]
    assert _consumed(kafka_endpoint, topic, group, 40) == [b"%d" % number for number in range(60, 100)]
    assert flexible_admin.describe_groups([group])[group]["group_state"] == "Empty"
    assert flexible_admin.delete_groups([group]) == {group: "OK"}
    assert group not in [each["group_id"] for each in flexible_admin.list_groups()]


def _consumed(endpoint: str, topic: str, group: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=endpoint,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=20,
    )
    values = [next(consumer).value for _ in range(count)]
    consumer.commit()
    consumer.close()
    return values


def test_settings_are_altered_one_by_one(topic: str, flexible_admin: KafkaAdminClient) -> None:
    for name, value in (("retention.ms", "60000"), ("cleanup.policy", "compact")):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})
        flexible_admin.alter_configs([resource], incremental=True)
    described = flexible_admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    settings = str(described)
    assert "60000" in settings
    assert "compact" in settings
