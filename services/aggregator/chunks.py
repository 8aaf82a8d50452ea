"""Step 1 of the aggregator: has Faust deliver records in chunks of one partition, which costs a fifteenth.

Faust pays about 110 us for every event it delivers, so here one event is a list of up to 500 records. Acks are
off: what is committed is our own watermark (services/aggregator/watermark.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import faust
from aiokafka import ConsumerRecord
from faust.types import TP

from services.aggregator.settings import AggregatorSettings

CHUNK_RECORDS = 500


class Chunk:
    """Looks like a record to Faust; its value is the list of records."""

    __slots__ = ("offset", "partition", "timestamp", "timestamp_type", "topic", "value")

    headers = ()
    key = None
    checksum = None
    serialized_key_size = 0
    serialized_value_size = 0

    def __init__(self, tp: TP, records: list[ConsumerRecord]) -> None:
        last = records[-1]
        self.topic, self.partition = tp.topic, tp.partition
        self.offset, self.timestamp, self.timestamp_type = last.offset, last.timestamp, last.timestamp_type
        self.value = records


class ChunkScheduler:
    """Hands out what one poll returned as chunks, taking turns between partitions."""

    def iterate(self, records: Mapping[TP, list[ConsumerRecord]]) -> Iterator[tuple[TP, Chunk]]:
        """Called by Faust with each poll's records."""
        longest = max((len(some) for some in records.values()), default=0)
        for start in range(0, longest, CHUNK_RECORDS):
            for tp, some in records.items():
                if chunk := some[start : start + CHUNK_RECORDS]:
                    yield tp, Chunk(tp, chunk)


class Undecoded(faust.Schema):  # type: ignore[misc]
    """Passes the list of records on as it is: what cannot be decoded is not Faust's to acknowledge."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> None:
        """There is no key to a chunk."""

    def loads_value(self, app: Any, message: Any, **_: Any) -> list[ConsumerRecord]:
        """The records."""
        return message.value  # type: ignore[no-any-return]


def chunked_app(group: str, settings: AggregatorSettings) -> faust.App:
    """A Faust app that consumes chunks as this group, keeps no tables and commits nothing by itself."""
    datadir = settings.data_dir / group
    datadir.mkdir(parents=True, exist_ok=True)
    return faust.App(
        group,
        broker=[f"kafka://{server}" for server in settings.kafka_bootstrap.split(",")],
        ConsumerScheduler=ChunkScheduler,
        agent_supervisor="mode.CrashingSupervisor",
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        broker_request_timeout=max(20.0, settings.session_timeout_seconds * 1.5),
        broker_rebalance_timeout=60,
        broker_max_poll_records=5000,
        stream_buffer_maxsize=256,
        producer_request_timeout=30,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=str(datadir),
        store="memory://",
    )


def chunked_topic(app: faust.App, name: str) -> Any:
    """A topic of this app whose events are chunks."""
    return app.topic(name, schema=Undecoded(), acks=False)


def assigned(app: faust.App, topic: str) -> set[int]:
    """The partitions of this topic that the worker owns now."""
    return {tp.partition for tp in app.consumer.assignment() if tp.topic == topic}


async def commit(app: faust.App, offsets: dict[TP, int]) -> bool:
    """Commit the next offsets of the partitions still owned; whether the group took it.

    Faust commits nothing for a topic without acks, and has no public call for offsets of our own.
    """
    owned = {tp: offset for tp, offset in offsets.items() if tp in app.consumer.assignment()}
    return bool(owned) and await app.consumer._commit(owned)
