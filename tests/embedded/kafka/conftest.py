"""The broker under test: the embedded one, or with --kafka=apache a node of Apache Kafka.

Tests that take `kafka_endpoint` know nothing else of it and hold for both; those that take `broker` own a process
of the embedded one and may do what they like to it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.embedded.kafka.process import BrokerProcess, until
from tests.embedded.kafka.wire import Wire
from tests.stack import ApacheKafka


@pytest.fixture(scope="session")
def kafka_endpoint(tmp_path_factory: pytest.TempPathFactory, kafka_kind: str) -> Iterator[str]:
    data = tmp_path_factory.mktemp("kafka")
    if kafka_kind == "apache":
        apache = ApacheKafka(data)
        yield apache.start()
        apache.stop()
    else:
        process = BrokerProcess(data)
        yield process.endpoint
        process.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path / "kafka", "--maintenance-seconds", "0.2")
    yield process
    process.close()


@pytest.fixture
def wire(kafka_endpoint: str) -> Iterator[Wire]:
    with Wire(kafka_endpoint) as connection:
        yield connection


@pytest.fixture
async def admin(kafka_endpoint: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_endpoint)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def topic(kafka_endpoint: str, admin: AIOKafkaAdminClient) -> str:
    """A new topic of one partition, ready to be read."""
    name = await create_topic(admin)
    with Wire(kafka_endpoint) as connection:
        until(lambda: connection.fetch(name, 0).error_code == 0)
    return name


async def create_topic(admin: AIOKafkaAdminClient, partitions: int = 1, **configs: str) -> str:
    """A topic that has leaders; the tests' timestamps are long ago, so nothing is too old by default."""
    name = f"topic-{uuid4().hex}"
    settings = {"retention.ms": "-1"} | {key.replace("_", "."): value for key, value in configs.items()}
    created = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
    assert [error[1] for error in created.topic_errors] == [0]
    async with asyncio.timeout(10):
        while not await _is_led(admin, name, partitions):
            pass
    return name


async def _is_led(admin: AIOKafkaAdminClient, name: str, partitions: int) -> bool:
    (described,) = await admin.describe_topics([name])
    errors = [described["error_code"], *(each["error_code"] for each in described["partitions"])]
    return errors == [0] * (partitions + 1)
