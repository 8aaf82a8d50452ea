"""Creates Kafka topics as schemas.topics declares them, and sets right the settings of those that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from deploy.provision.differences import Difference, Existing, compare
from schemas.topics import TOPICS, Topic


def provision_topics(
    bootstrap: str, replication: int = 1, declared: Sequence[Topic] = TOPICS
) -> list[Difference]:
    """Bring the cluster's topics to `declared`; gives what differed before."""
    admin = connect(bootstrap)
    try:
        differences = compare(declared, _existing(admin, declared))
        _create(admin, [d.topic for d in differences if d.missing], replication)
        _configure(admin, {d.topic.name: d.config for d in differences if not d.missing and d.config})
    finally:
        admin.close()
    return differences


def topic_differences(bootstrap: str, timeout_ms: int) -> list[Difference]:
    """What `provision_topics` would change."""
    admin = connect(bootstrap, timeout_ms)
    try:
        return compare(TOPICS, _existing(admin, TOPICS))
    finally:
        admin.close()


def connect(bootstrap: str, timeout_ms: int = 5_000) -> Any:
    """kafka-python's admin client (aiokafka's cannot change one setting and leave the others).

    Raises kafka.errors.KafkaError when no broker answers in time.
    """
    return KafkaAdminClient(
        bootstrap_servers=bootstrap.split(","),
        client_id="aftertouch-provision",
        bootstrap_timeout_ms=timeout_ms,
    )


def _existing(admin: Any, declared: Sequence[Topic]) -> dict[str, Existing]:
    names = sorted({topic.name for topic in declared} & set(admin.list_topics()))
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    settings = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        found["name"]: Existing(
            len(found["partitions"]),
            {name: entry["value"] for name, entry in settings[found["name"]].items()},
        )
        for found in admin.describe_topics(names)
    }


def _create(admin: Any, topics: list[Topic], replication: int) -> None:
    if topics:
        admin.create_topics(
            {topic.name: _new(topic, replication) for topic in topics}, wait_for_metadata=True
        )


def _new(topic: Topic, replication: int) -> dict[str, object]:
    return {
        "num_partitions": topic.partitions,
        "replication_factor": replication,
        "configs": dict(topic.config),
    }


def _configure(admin: Any, configs: Mapping[str, Mapping[str, str]]) -> None:
    if configs:
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, dict(config)) for name, config in configs.items()]
        )
