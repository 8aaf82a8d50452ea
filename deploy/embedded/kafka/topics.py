"""Topics and their configuration: created, grown and deleted explicitly, remembered across restarts.

Not implemented: automatic creation, topic ids, replicas (a replication factor is accepted and has no effect).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from deploy.embedded.kafka.log import Partition, ProducerState, TailCache
from deploy.embedded.kafka.store import OFFSET_BITS, Statement, Store
from deploy.embedded.kafka.wire import Error

PARTITION_LIMIT = 1000
_TAIL_BYTES = 64 * 1024 * 1024
_LEGAL_NAME = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")

# Apache Kafka's names and defaults. Those after the gap are accepted, shown, and have no effect here.
CONFIG_DEFAULTS: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "delete.retention.ms": "86400000",
    "max.message.bytes": "1048588",
    "min.cleanable.dirty.ratio": "0.5",
    "min.compaction.lag.ms": "0",
    "retention.bytes": "-1",
    "retention.ms": "604800000",
    #
    "compression.type": "producer",
    "file.delete.delay.ms": "60000",
    "flush.messages": "9223372036854775807",
    "flush.ms": "9223372036854775807",
    "index.interval.bytes": "4096",
    "max.compaction.lag.ms": "9223372036854775807",
    "message.timestamp.after.max.ms": "3600000",
    "message.timestamp.before.max.ms": "9223372036854775807",
    "message.timestamp.type": "CreateTime",
    "min.insync.replicas": "1",
    "preallocate": "false",
    "segment.bytes": "1073741824",
    "segment.index.bytes": "10485760",
    "segment.jitter.ms": "0",
    "segment.ms": "604800000",
    "unclean.leader.election.enable": "false",
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

    @property
    def policies(self) -> set[str]:
        return {policy.strip() for policy in self.setting("cleanup.policy").split(",")}


def is_legal_name(name: str) -> bool:
    return _LEGAL_NAME.fullmatch(name) is not None


def config_refusal(config: Mapping[str, str]) -> str | None:
    """Why these settings cannot be a topic's, in words, if they cannot."""
    for name, value in config.items():
        default = CONFIG_DEFAULTS.get(name)
        if default is None:
            return f"Unknown topic config name: {name}"
        if re.fullmatch(r"-?\d+", default) and not re.fullmatch(r"-?\d+", value):
            return f"Invalid value {value} for configuration {name}: not a whole number"
    if config.get("message.timestamp.type", "CreateTime") != "CreateTime":
        return "message.timestamp.type: this broker keeps producers' timestamps (CreateTime) only"
    policies = {policy.strip() for policy in config.get("cleanup.policy", "delete").split(",")}
    if not policies <= {"delete", "compact"}:
        return f"Invalid value {config['cleanup.policy']} for configuration cleanup.policy"
    return None


class Topics:
    """The catalogue. Each change is made in memory at once; the statements that persist it are returned."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache = TailCache(_TAIL_BYTES)
        self._topics: dict[str, Topic] = {}
        self._load()

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

    def create(self, name: str, count: int, config: dict[str, str]) -> list[Statement]:
        topic = self._topics[name] = Topic(name, config, [])
        return [self.save_config(topic), *self.grow(topic, count)]

    def save_config(self, topic: Topic) -> Statement:
        return ("REPLACE INTO topics (name, config) VALUES (?, ?)", (topic.name, json.dumps(topic.config)))

    def grow(self, topic: Topic, count: int) -> list[Statement]:
        statements: list[Statement] = []
        for index in range(len(topic.partitions), count):
            partition = Partition(self._next_id, topic.name, index, self._store, self._cache)
            self._next_id += 1
            topic.partitions.append(partition)
            row = (partition.id, topic.name, index)
            statements.append(("INSERT INTO partitions (id, topic, idx) VALUES (?, ?, ?)", row))
        return statements

    def delete(self, topic: Topic) -> list[Statement]:
        """Forgets the topic; its batches go when maintenance comes by."""
        del self._topics[topic.name]
        for partition in topic.partitions:
            self.drop_tail(partition)
            partition.wake()
        return [
            ("DELETE FROM topics WHERE name = ?", (topic.name,)),
            ("UPDATE partitions SET topic = '' WHERE topic = ?", (topic.name,)),
        ]

    def drop_tail(self, partition: Partition) -> None:
        self._cache.drop(partition.tail)

    def _load(self) -> None:
        rows = self._store.rows
        (self._next_id,) = rows("SELECT coalesce(max(id), 0) + 1 FROM partitions")[0]
        for name, config in rows("SELECT name, config FROM topics"):
            self._topics[name] = Topic(name, json.loads(config), [])
        for row in rows(
            "SELECT id, topic, idx, start, cleaned FROM partitions WHERE topic <> '' ORDER BY topic, idx"
        ):
            self._topics[row[1]].partitions.append(self._loaded(*row))

    def _loaded(self, id_: int, topic: str, index: int, start: int, cleaned: int) -> Partition:
        partition = Partition(id_, topic, index, self._store, self._cache, start=start, cleaned=cleaned)
        newest = "SELECT max(id) FROM batches WHERE id >= ? AND id < ?"
        ((row,),) = self._store.rows(newest, partition.row(0), (id_ + 1) << OFFSET_BITS)
        last_offset = -1 if row is None else row - partition.row(0)
        partition.end = partition.high_watermark = max(start, last_offset + 1)
        for pid, state in self._store.rows("SELECT pid, state FROM producers WHERE part = ?", id_):
            partition.producers[pid] = msgspec.msgpack.decode(state, type=ProducerState)
        return partition
