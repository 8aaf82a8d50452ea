"""Topics and their configuration: created, grown and deleted explicitly, remembered across restarts.

Not implemented: automatic creation, topic ids, replicas (a replication factor is accepted and has no effect).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from deploy.embedded.kafka.log import Partition, ProducerState
from deploy.embedded.kafka.store import OFFSET_BITS, Statement, Store
from deploy.embedded.kafka.wire import Answer, Error

PARTITION_LIMIT = 1000
_DYNAMIC_TOPIC_CONFIG, _DEFAULT_CONFIG = 1, 5
_LEGAL_NAME = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")

# Apache Kafka's names and defaults. Those from compression.type on are accepted, shown, and have no effect here.
CONFIG_DEFAULTS: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "delete.retention.ms": "86400000",
    "max.message.bytes": "1048588",
    "min.cleanable.dirty.ratio": "0.5",
    "min.compaction.lag.ms": "0",
    "retention.bytes": "-1",
    "retention.ms": "604800000",
    "compression.type": "producer",
    "max.compaction.lag.ms": "9223372036854775807",
    "message.timestamp.type": "CreateTime",
    "min.insync.replicas": "1",
    "segment.bytes": "1073741824",
    "segment.ms": "604800000",
}


@dataclass(eq=False, slots=True)
class Topic:
    name: str
    config: dict[str, str]
    partitions: list[Partition]

    def setting(self, name: str) -> str:
        return self.config.get(name, CONFIG_DEFAULTS[name])

    def number(self, name: str) -> int:
        return int(self.setting(name))

    def listed(self, name: str) -> list[str]:
        return self.config.get(name, CONFIG_DEFAULTS.get(name, "")).replace(" ", "").split(",")


def is_legal_name(name: str) -> bool:
    return _LEGAL_NAME.fullmatch(name) is not None


def config_refusal(config: Mapping[str, str]) -> str | None:
    """Why these settings cannot be a topic's, in words, if they cannot."""
    for name, value in config.items():
        default = CONFIG_DEFAULTS.get(name)
        if default is None:
            return f"Unknown topic config name: {name}"
        if default[-1].isdigit() and not re.fullmatch(r"\d*\.?\d+" if "." in default else r"-?\d+", value):
            return f"Invalid value {value} for configuration {name}: not a number"
    if config.get("message.timestamp.type", "CreateTime") != "CreateTime":
        return "message.timestamp.type: this broker keeps producers' timestamps (CreateTime) only"
    policies = set(config.get("cleanup.policy", "delete").replace(" ", "").split(","))
    return None if policies <= {"delete", "compact"} else f"Invalid value {policies} for cleanup.policy"


def described_settings(topic: Topic) -> list[Answer]:
    sources = {
        each: _DYNAMIC_TOPIC_CONFIG if each in topic.config else _DEFAULT_CONFIG for each in CONFIG_DEFAULTS
    }
    return [{"name": each, "value": topic.setting(each), "config_source": sources[each]} for each in sources]


class Topics:
    """The catalogue. Changes are made in memory at once and submitted; whoever answers awaits their commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._topics: dict[str, Topic] = {}
        (self._next_id,) = store.rows("SELECT coalesce(max(id), 0) + 1 FROM partitions")[0]
        for name, config in store.rows("SELECT name, config FROM topics"):
            self._topics[name] = Topic(name, json.loads(config), [])
        sql = "SELECT id, topic, idx, start, cleaned FROM partitions WHERE topic <> '' ORDER BY topic, idx"
        for row in store.rows(sql):
            self._topics[row[1]].partitions.append(self._loaded(*row))

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._topics.values())

    def get(self, name: str) -> Topic | None:
        return self._topics.get(name)

    def partition(self, topic: str, index: int) -> Partition | None:
        known = self._topics.get(topic)
        return known.partitions[index] if known and 0 <= index < len(known.partitions) else None

    def creation_refusal(self, name: str, count: int) -> Error:
        if not is_legal_name(name):
            return Error.INVALID_TOPIC_EXCEPTION
        if name in self._topics:
            return Error.TOPIC_ALREADY_EXISTS
        return Error.NONE if 0 < count <= PARTITION_LIMIT else Error.INVALID_PARTITIONS

    def add(self, topic: Topic, count: int) -> None:
        self._topics[topic.name] = topic
        self.configure(topic, topic.config)
        self.grow(topic, count)

    def configure(self, topic: Topic, config: dict[str, str]) -> None:
        topic.config = config
        row = (topic.name, json.dumps(config))
        self._store.submit(("REPLACE INTO topics (name, config) VALUES (?, ?)", row))

    def grow(self, topic: Topic, count: int) -> None:
        statements: list[Statement] = []
        for index in range(len(topic.partitions), count):
            topic.partitions.append(Partition(self._next_id, topic.name, index, self._store))
            row = (self._next_id, topic.name, index)
            statements.append(("INSERT INTO partitions (id, topic, idx) VALUES (?, ?, ?)", row))
            self._next_id += 1
        self._store.submit(*statements)

    def delete(self, name: str) -> Error:
        """Forgets the topic; its batches go when maintenance comes by."""
        topic = self._topics.pop(name, None)
        if topic is None:
            return Error.UNKNOWN_TOPIC_OR_PARTITION
        for partition in topic.partitions:
            partition.drop_tail()
            partition.wake()
        orphaned = "UPDATE partitions SET topic = '' WHERE topic = ?"
        self._store.submit(("DELETE FROM topics WHERE name = ?", (name,)), (orphaned, (name,)))
        return Error.NONE

    def _loaded(self, id_: int, topic: str, index: int, start: int, cleaned: int) -> Partition:
        partition = Partition(id_, topic, index, self._store, start=start, cleaned=cleaned)
        newest = "SELECT max(id) FROM batches WHERE id >= ? AND id < ?"
        ((row,),) = self._store.rows(newest, partition.row(0), (id_ + 1) << OFFSET_BITS)
        last_offset = -1 if row is None else row - partition.row(0)
        partition.end = partition.high_watermark = max(start, last_offset + 1)
        for pid, state in self._store.rows("SELECT pid, state FROM producers WHERE part = ?", id_):
            partition.producers[pid] = msgspec.msgpack.decode(state, type=ProducerState)
        return partition
