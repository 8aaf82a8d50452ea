"""The customers worker: Faust delivers chunks of feedback.customers; each is folded, and what comes of it is flushed.

It is a worker of its own, with a consumer group of its own, since all answers of a customer have to meet in one
partition, whatever touchpoints they are about.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import faust
import structlog
from aiokafka import ConsumerRecord
from faust.types import TP

from schemas import metrics
from schemas.topics import CUSTOMER_STATE, CUSTOMERS
from services.aggregator import customer_records
from services.aggregator.admin import serve_admin
from services.aggregator.chunks import assigned, chunked_app, chunked_topic, commit
from services.aggregator.customers import CustomersPartition
from services.aggregator.exits import Exit, arm_stop_deadline, end_now, or_end
from services.aggregator.kafka import RecordWriter, committed_positions, read_state
from services.aggregator.settings import AggregatorSettings
from services.aggregator.watchdog import PARTITION_STALL_SECONDS, Heartbeat, Stalls, excuse_outages
from services.aggregator.watermark import Watermark
from services.operations.telemetry import Telemetry

log = structlog.get_logger()

GROUP = "aftertouch-customers"
FORGET_EVERY_SECONDS = 60


class Customers:
    """What the Faust agent, its timers and its rebalance hooks call."""

    def __init__(
        self,
        settings: AggregatorSettings,
        watermark: Watermark[CustomersPartition],
        telemetry: Telemetry,
        clock: Callable[[], datetime],
    ) -> None:
        self.restored = False
        self._settings, self._watermark = settings, watermark
        self._telemetry, self._clock = telemetry, clock
        self._undurable = asyncio.Event()
        self._noticed = asyncio.Event()

    @property
    def partitions(self) -> dict[int, CustomersPartition]:
        """Those that are folded here, by number."""
        return self._watermark.partitions

    async def take(self, chunk: list[ConsumerRecord]) -> None:
        """Fold one chunk of records of one partition."""
        partition = self.partitions.get(chunk[0].partition)
        if partition is None:
            return  # fetched before a rebalance took the partition away
        fresh = [record for record in chunk if record.offset >= partition.next]
        if fresh and fresh[0].offset > partition.next:
            lost = f"{partition.next} to {fresh[0].offset - 1} of partition {partition.number}"
            end_now(Exit.RECORDS_MISSING, f"offsets {lost} never arrived; reading again from the last commit")
        outcomes = Counter(partition.apply(record.offset, record.value) for record in fresh)
        for outcome, count in outcomes.items():
            self._telemetry.count(metrics.CUSTOMERS_ANSWERS, outcome, by=count)
        if outcomes["unreadable"]:
            log.error("left out what cannot be read", topic=CUSTOMERS.name, partition=partition.number)
        self._undurable.set()
        if partition.signals:
            self._noticed.set()

    async def tell_when_noticed(self) -> None:
        """For ever: publish signals as soon as there are any."""
        while True:
            await self._noticed.wait()
            self._noticed.clear()
            kinds = Counter(signal.kind for p in self.partitions.values() for signal in p.signals)
            with or_end("cannot publish signals"):
                await self._watermark.tell(self._clock())
            for kind, count in kinds.items():
                self._telemetry.count(metrics.CUSTOMERS_SIGNALS, kind, by=count)

    async def flush_when_due(self) -> None:
        """For ever: flush `commit_seconds` after an answer."""
        while True:
            await self._undurable.wait()
            await asyncio.sleep(self._settings.commit_seconds)
            self._undurable.clear()
            started = self._clock()
            with or_end("cannot make the customers durable"):
                if not await self._watermark.flush(started):
                    log.warning("commit refused, the group is rebalancing")
            took = (self._clock() - started).total_seconds()
            self._telemetry.timed(metrics.CUSTOMERS_FLUSH_SECONDS, took)

    async def forget_when_due(self) -> None:
        """For ever: let go of customers whose bad contacts are too old."""
        while True:
            await asyncio.sleep(FORGET_EVERY_SECONDS)
            for partition in list(self.partitions.values()):
                partition.forget()
                await asyncio.sleep(0)
            self._undurable.set()

    async def restore(self, numbers: set[int]) -> None:
        """Load the state of these partitions and fold them, and no others, from now on."""
        with or_end("cannot restore the customers"):
            partitions = await self._load(numbers) if numbers else {}
        self._watermark.replace(partitions)
        self.restored = True
        log.info("restored", partitions=sorted(numbers), customers=self.remembered())

    async def release(self) -> None:
        """Make everything durable and let go of all partitions."""
        self.restored = False
        with or_end("cannot make the customers durable"):
            await self._watermark.flush_and_drop(self._clock())

    async def _load(self, numbers: set[int]) -> dict[int, CustomersPartition]:
        bootstrap = self._settings.kafka_bootstrap
        source = [(CUSTOMERS.name, number) for number in sorted(numbers)]
        positions = await committed_positions(bootstrap, GROUP, source)
        within = timedelta(days=self._settings.repeat_within_days)
        partitions = {}
        async for number, state in read_state(bootstrap, numbers, CUSTOMER_STATE):
            at = positions[CUSTOMERS.name, number]
            if at.committed < at.first:
                log.error("expired unread", topic=CUSTOMERS.name, partition=number, up_to=at.first - 1)
            partition = partitions[number] = CustomersPartition(number, at.start, within)
            customer_records.restore(partition, iter(state.newest.get(number, {}).items()))
            for _, key in state.stale:
                customer_records.mark_for_rewrite(partition, key)
        return partitions

    def remembered(self) -> int:
        """How many customers are in memory."""
        return sum(len(partition.customers) for partition in self.partitions.values())


def observe(app: faust.App, customers: Customers, telemetry: Telemetry, stalls: Stalls) -> None:
    """Show lag and size; end the process when a partition with unread answers makes no progress."""
    reached = {number: p.committed for number, p in customers.partitions.items()}
    lags = {n: (at, app.consumer.highwater(TP(CUSTOMERS.name, n)) or 0) for n, at in reached.items()}
    for number, (at, end) in lags.items():
        telemetry.level(metrics.CUSTOMERS_LAG, max(0, end - at), str(number))
    telemetry.level(metrics.CUSTOMERS_KEPT, customers.remembered())
    if stalls.longest(lags, time.monotonic()) > PARTITION_STALL_SECONDS:
        end_now(Exit.STALLED, f"no progress for {PARTITION_STALL_SECONDS:.0f} s on unread answers")


def create(settings: AggregatorSettings) -> faust.App:
    """The app of the customers worker, ready to be run."""
    app = chunked_app(GROUP, settings)
    telemetry = Telemetry("customers")
    writer = RecordWriter(settings.kafka_bootstrap)
    watermark = Watermark(
        writer,
        lambda reached: commit(app, {TP(CUSTOMERS.name, number): at for number, at in reached.items()}),
        customer_records,
    )
    customers = Customers(settings, watermark, telemetry, lambda: datetime.now(UTC))
    heartbeat = Heartbeat(settings.session_timeout_seconds)
    stalls = Stalls()

    @app.agent(chunked_topic(app, CUSTOMERS.name), concurrency=1)
    async def fold(chunks: AsyncIterator[list[ConsumerRecord]]) -> None:
        async for chunk in chunks:
            await customers.take(chunk)

    @app.on_rebalance_complete.connect
    async def on_assigned(*_: Any, **__: Any) -> None:
        await writer.start()
        await customers.restore(assigned(app, CUSTOMERS.name))

    @app.on_partitions_revoked.connect
    async def on_revoked(*_: Any, **__: Any) -> None:
        await customers.release()

    @app.on_before_shutdown.connect
    async def on_shutdown(*_: Any, **__: Any) -> None:
        arm_stop_deadline()
        await customers.release()
        await writer.stop()

    @app.task
    async def run() -> None:
        await asyncio.gather(
            customers.tell_when_noticed(),
            customers.flush_when_due(),
            customers.forget_when_due(),
            excuse_outages(stalls, settings.kafka_bootstrap),
            heartbeat.beat(partial(observe, app, customers, telemetry, stalls)),
        )

    def why_not_ready() -> str:
        return "" if customers.restored and not app.rebalancing else "restoring or rebalancing"

    serve_admin(settings.host, settings.customers_port, heartbeat.live, why_not_ready, telemetry)
    return app
