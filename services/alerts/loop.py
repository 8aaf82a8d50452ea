"""Steps 1 to 3 of 5 from signal to message: each signal becomes a change of an alert, safe on the topic
feedback.alerts before the signal counts as read. Telling people is left to the deliveries: it may be slow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from schemas.metrics import ALERTS_OPEN, ALERTS_SIGNALS
from schemas.rejections import Rejected
from services.alerts.book import AlertBook, Clock
from services.alerts.notify.queue import Deliveries
from services.alerts.signals import read_signal
from services.alerts.store import AlertStore
from services.operations.telemetry import Telemetry

log = structlog.get_logger()

BATCH = 500
SWEEP_EVERY = timedelta(hours=1)


class SignalLoop:
    """Reads feedback.signals for as long as the process lives."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        book: AlertBook,
        store: AlertStore,
        deliveries: Deliveries,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._consumer, self._book, self._store = consumer, book, store
        self._deliveries, self._telemetry, self._clock = deliveries, telemetry, clock
        self._owned: frozenset[TopicPartition] = frozenset()
        self._next_sweep = datetime.min.replace(tzinfo=clock().tzinfo)

    async def restore(self) -> None:
        """Know every alert there is, and have those told whose telling was cut short."""
        await self._book.catch_up()
        for alert in self._store.pending():
            await self._deliveries.offer(alert)
        self._telemetry.level(ALERTS_OPEN, self._store.open_count)

    async def run(self) -> None:
        """Read, handle, commit; forever. Raises what cannot be helped here: the process is then restarted."""
        while True:
            batches = await self._consumer.getmany(timeout_ms=1000, max_records=BATCH)
            await self._take_over()
            await self._handle([record for records in batches.values() for record in records])
            await self._commit({partition: records[-1].offset + 1 for partition, records in batches.items()})
            await self._sweep()

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        """Turn signals into alerts, wait until all are acknowledged, then have their teams told."""
        turned = []
        for record in records:
            signal = read_signal(record.value)
            if isinstance(signal, Rejected):
                self._leave_out(record, signal)
                continue
            step, acknowledged = await self._book.turn(signal)
            self._telemetry.count(ALERTS_SIGNALS, step.reason)
            turned.append((signal, step.changed, acknowledged))
        await asyncio.gather(*(acknowledged for _, _, acknowledged in turned))
        for signal, changed, _ in turned:
            if changed and changed.delivery == "pending":
                await self._deliveries.offer(changed, signal.contact.received_at)
        self._telemetry.level(ALERTS_OPEN, self._store.open_count)

    def _leave_out(self, record: ConsumerRecord, refusal: Rejected) -> None:
        self._telemetry.count(ALERTS_SIGNALS, "unreadable")
        log.error(
            "signal unreadable, left out",
            reason=refusal.reason,
            detail=refusal.detail,
            partition=record.partition,
            offset=record.offset,
        )

    async def _take_over(self) -> None:
        """After partitions came from another process: know what it has written before adding to it."""
        if (owned := frozenset(self._consumer.assignment())) == self._owned:
            return
        await self.restore()
        self._owned = owned
        log.info("reading signals", partitions=len(owned))

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        try:
            if offsets:
                await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            log.warning("partitions moved before they were committed; their signals will be read again")

    async def _sweep(self) -> None:
        if self._clock() < self._next_sweep:
            return
        self._next_sweep = self._clock() + SWEEP_EVERY
        if forgotten := await self._book.forget_old():
            log.info("old alerts forgotten", count=forgotten)
