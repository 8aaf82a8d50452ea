"""The table of topics: what Kafka and the workers rely on."""

from __future__ import annotations

from importlib import import_module

import pytest

from schemas.topics import (
    ALERTS,
    CUSTOMER_STATE,
    CUSTOMERS,
    EVENTS,
    PANES,
    PARTITIONS,
    REJECTED,
    SCORES,
    SIGNALS,
    STATE,
    TOPICS,
    Topic,
)

KAFKA_TOPIC_SETTINGS = {
    "cleanup.policy",
    "compression.type",
    "delete.retention.ms",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "index.interval.bytes",
    "max.compaction.lag.ms",
    "max.message.bytes",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "min.insync.replicas",
    "preallocate",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.index.bytes",
    "segment.jitter.ms",
    "segment.ms",
    "unclean.leader.election.enable",
}
"""Kafka's own names, from its documentation of topic settings."""


def message_type(topic: Topic) -> type | None:
    """The type of the topic's JSON messages, None if they are not JSON."""
    module, dot, name = topic.message.partition(".")
    if not dot or " " in topic.message:
        return None
    found: type = getattr(import_module(f"schemas.{module}"), name)
    return found


def test_names_are_unique_and_begin_alike() -> None:
    names = [topic.name for topic in TOPICS]

    assert len(set(names)) == len(names) == 10
    assert all(name.startswith("feedback.") for name in names)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_settings_are_named_as_kafka_names_them(topic: Topic) -> None:
    assert topic.config.keys() <= KAFKA_TOPIC_SETTINGS
    assert topic.config["cleanup.policy"] in ("compact", "delete")
    assert all(value.isdigit() for name, value in topic.config.items() if name.endswith(".ms"))


@pytest.mark.parametrize("topic", [SIGNALS, CUSTOMER_STATE], ids=lambda topic: topic.name)
def test_what_follows_customers_partition_by_partition_has_as_many(topic: Topic) -> None:
    assert topic.partitions == CUSTOMERS.partitions


@pytest.mark.parametrize(
    "topic", [EVENTS, PANES, SCORES, SIGNALS, STATE, REJECTED], ids=lambda topic: topic.name
)
def test_what_follows_events_partition_by_partition_has_as_many(topic: Topic) -> None:
    assert topic.partitions == PARTITIONS


def test_state_is_compacted_and_history_is_kept_as_long_as_answers_may_be_late() -> None:
    week = str(7 * 24 * 3600 * 1000)

    compacted = {topic.name for topic in TOPICS if topic.config["cleanup.policy"] == "compact"}
    kept_a_week = {topic.name for topic in TOPICS if topic.config.get("retention.ms") == week}

    assert compacted == {SCORES.name, STATE.name, CUSTOMER_STATE.name, ALERTS.name}
    assert kept_a_week == {topic.name for topic in TOPICS} - compacted


def test_every_topic_but_the_internal_ones_names_the_type_of_its_messages() -> None:
    typed = {topic.name for topic in TOPICS if message_type(topic)}

    assert typed == {topic.name for topic in TOPICS} - {STATE.name, CUSTOMER_STATE.name}
