"""kcat 1.7.1 (librdkafka 2.0): an old C client that picks other versions than aiokafka; also on Apache Kafka."""

import json
import subprocess

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.embedded.kafka.conftest import create_topic
from tests.embedded.kafka.wire import Wire

pytestmark = pytest.mark.kcat


def _kcat(endpoint: str, *arguments: str, sent: str = "") -> str:
    command = ["kcat", "-b", endpoint, "-m", "10", *arguments]
    return subprocess.run(command, input=sent, capture_output=True, text=True, timeout=30, check=True).stdout


async def test_lists_topics(kafka_endpoint: str, topic: str) -> None:
    listed = json.loads(_kcat(kafka_endpoint, "-L", "-J"))
    assert topic in [each["topic"] for each in listed["topics"]]


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_carries_and_compresses(kafka_endpoint: str, topic: str, codec: str) -> None:
    lines = [f"{number:04}:" + "x" * 500 for number in range(200)]
    options = ("-X", "enable.idempotence=true", "-X", "linger.ms=100", "-z", codec)
    _kcat(kafka_endpoint, "-P", "-t", topic, "-K", ":", *options, sent="\n".join(lines))
    got = _kcat(kafka_endpoint, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-K", ":")
    assert got.splitlines() == lines


async def test_compression_reaches_the_log(kafka_endpoint: str, topic: str) -> None:
    """An old librdkafka compresses only for brokers that advertise Produce from version 0."""
    options = ("-z", "gzip", "-X", "linger.ms=100")
    _kcat(kafka_endpoint, "-P", "-t", topic, *options, sent="\n".join(["x" * 1000] * 50))
    with Wire(kafka_endpoint) as wire:
        assert len(wire.fetch(topic, 0).records) < 5000


async def test_unacknowledged_produce(kafka_endpoint: str, topic: str) -> None:
    _kcat(kafka_endpoint, "-P", "-t", topic, "-X", "acks=0", sent="fired\nforgotten")
    got = _kcat(kafka_endpoint, "-C", "-t", topic, "-o", "beginning", "-c", "2", "-q")
    assert got.splitlines() == ["fired", "forgotten"]


async def test_group_resumes(kafka_endpoint: str, admin: AIOKafkaAdminClient) -> None:
    topic = await create_topic(admin, partitions=2)
    consume = ("-G", f"kcat-{topic}", "-q", "-X", "auto.offset.reset=earliest", "-c")
    _kcat(kafka_endpoint, "-P", "-t", topic, "-p", "0", sent="a\nb\nc")
    assert _kcat(kafka_endpoint, *consume, "3", topic).splitlines() == ["a", "b", "c"]
    _kcat(kafka_endpoint, "-P", "-t", topic, "-p", "0", sent="d")
    assert _kcat(kafka_endpoint, *consume, "1", topic).splitlines() == ["d"]


async def test_offset_by_time(kafka_endpoint: str, topic: str) -> None:
    _kcat(kafka_endpoint, "-P", "-t", topic, sent="a\nb")
    assert "offset 2" in _kcat(kafka_endpoint, "-Q", "-t", f"{topic}:0:-1")
    assert "offset 0" in _kcat(kafka_endpoint, "-Q", "-t", f"{topic}:0:1000")
