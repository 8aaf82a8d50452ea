"""The topic feedback.alerts: this service's only state, read to its end at start, written on every change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from schemas.alerts import Alert
from schemas.topics import ALERTS
from services.alerts.book import Entry

log = structlog.get_logger()

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Alert)


def topic_key(alert: Alert) -> bytes:
    """The message key, by which the topic is compacted."""
    return f"{alert.workspace}/{alert.alert_id}".encode()


class KafkaJournal:
    """Reads with a consumer of its own, in no group, that starts at the beginning; knows the end by position."""

    def __init__(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        self._consumer, self._producer = consumer, producer

    async def unread(self) -> AsyncIterator[Entry]:
        """Everything up to the end as it was when the reading began."""
        partitions = await self._partitions()
        self._consumer.resume(*partitions)
        ends = await self._consumer.end_offsets(partitions)
        while await self._behind(ends):
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                for entry in _entries(records):
                    yield entry
        self._consumer.pause(*partitions)

    async def send(self, alert: Alert, *, forget: bool = False) -> Awaitable[object]:
        """Hand one message to the idempotent producer; the answer is its acknowledgement by all replicas."""
        value = None if forget else _encoder.encode(alert)
        acknowledgement: Awaitable[object] = await self._producer.send(
            ALERTS.name, key=topic_key(alert), value=value
        )
        return acknowledgement

    async def _partitions(self) -> list[TopicPartition]:
        if not self._consumer.assignment():
            numbers = self._consumer.partitions_for_topic(ALERTS.name) or {0}
            self._consumer.assign([TopicPartition(ALERTS.name, number) for number in sorted(numbers)])
        return list(self._consumer.assignment())

    async def _behind(self, ends: dict[TopicPartition, int]) -> bool:
        for partition, end in ends.items():
            if await self._consumer.position(partition) < end:
                return True
        return False


def _entries(records: Iterable[ConsumerRecord]) -> Iterable[Entry]:
    for record in records:
        alert_id = (record.key or b"").rpartition(b"/")[2].decode(errors="replace")
        try:
            yield Entry(alert_id, _decoder.decode(record.value) if record.value is not None else None)
        except (msgspec.DecodeError, UnicodeDecodeError):
            log.error("alert unreadable, left out", partition=record.partition, offset=record.offset)
