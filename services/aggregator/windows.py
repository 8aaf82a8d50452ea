"""Steps 2 and 3 of the aggregator: the windows worker restores its partitions, folds chunks, and has them flushed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

import structlog
from aiokafka import ConsumerRecord

from schemas import metrics
from schemas.feedback import decode
from schemas.rejections import Rejected
from schemas.topics import EVENTS
from services.aggregator import records
from services.aggregator.exits import Exit, end_now
from services.aggregator.kafka import Positions, committed_positions, read_before, read_state
from services.aggregator.partition import Partition
from services.aggregator.poison import RECENT, Breaker, Policy, Trip
from services.aggregator.settings import AggregatorSettings
from services.aggregator.watermark import Watermark
from services.operations.telemetry import Telemetry

log = structlog.get_logger()

UNFLUSHED_LIMIT = 100_000
"""So many folded and not yet durable answers make the worker wait for a flush."""
FLUSH_SHARE = 0.25
"""Flushes take at most this share of the time: under load they come more rarely and coalesce more."""
LONGEST_REST_SECONDS = 2.0
"""A flush that had to wait for Kafka says nothing about the load: the next one is not put off longer than this."""
TICK_SECONDS = 60

Clock = Callable[[], datetime]


class Windows:
    """What the Faust agent, its timers and its rebalance hooks call."""

    def __init__(
        self,
        group: str,
        settings: AggregatorSettings,
        watermark: Watermark,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self.restored = False
        self._group = group
        self._settings = settings
        self._watermark = watermark
        self._telemetry = telemetry
        self._clock = clock
        self._poison = Policy(settings.poison_in_a_row, settings.poison_share)
        self._breakers: dict[int, Breaker] = {}
        self._unflushed = 0
        self._dirty = asyncio.Event()
        self._noticed = asyncio.Event()
        self._flush_seconds = 0.0

    async def take(self, chunk: list[ConsumerRecord]) -> None:
        """Fold one chunk of records of one partition."""
        partition = self._watermark.partitions.get(chunk[0].partition)
        if partition is None:
            return  # fetched before a rebalance took the partition away
        fresh = [record for record in chunk if record.offset >= partition.next]
        if not fresh:
            return
        if fresh[0].offset > partition.next:
            lost = f"{partition.next} to {fresh[0].offset - 1} of partition {partition.number}"
            end_now(Exit.RECORDS_MISSING, f"offsets {lost} never arrived; reading again from the last commit")
        self._fold(partition, fresh)
        if self._unflushed >= UNFLUSHED_LIMIT:
            await self.flush()

    def _fold(self, partition: Partition, fresh: list[ConsumerRecord]) -> None:
        outcomes: Counter[str] = Counter()
        breaker = self._breakers[partition.number]
        for record in fresh:
            logged_at = record.timestamp / 1000
            became = partition.apply(record.offset, record.value, logged_at)
            outcomes[became] += 1
            if trip := breaker.take(record.offset, became, logged_at):
                _stop(partition.number, trip)
        for outcome, count in outcomes.items():
            self._telemetry.count(metrics.WINDOWS_EVENTS, outcome, by=count)
        self._unflushed += len(fresh)
        self._dirty.set()
        if partition.changes.signals:
            self._noticed.set()

    async def tell_when_noticed(self) -> None:
        """For ever: publish signals as soon as there are any."""
        while True:
            await self._noticed.wait()
            self._noticed.clear()
            kinds = Counter(s.kind for p in self._watermark.partitions.values() for s in p.changes.signals)
            try:
                await self._watermark.tell()
            except Exception as error:
                end_now(Exit.CRASHED, f"cannot publish signals: {error!r}")
            for kind, count in kinds.items():
                self._telemetry.count(metrics.WINDOWS_SIGNALS, kind, by=count)

    async def flush(self) -> None:
        """Make everything folded durable, or end the process."""
        size, self._unflushed = self._unflushed, 0
        started = self._clock()
        try:
            if not await self._watermark.flush(started):
                log.warning("commit refused, the group is rebalancing")
        except Exception as error:
            end_now(Exit.CRASHED, f"cannot make the windows durable: {error!r}")
        self._flush_seconds = (self._clock() - started).total_seconds()
        self._telemetry.timed(metrics.WINDOWS_FLUSH_SECONDS, self._flush_seconds)
        self._telemetry.sized(metrics.WINDOWS_FLUSH_RECORDS, size)

    async def flush_when_due(self) -> None:
        """For ever: flush `flush_seconds` after an answer, or later when flushes take long."""
        while True:
            await self._dirty.wait()
            rest = self._flush_seconds * (1 / FLUSH_SHARE - 1)
            await asyncio.sleep(max(self._settings.flush_seconds, min(rest, LONGEST_REST_SECONDS)))
            self._dirty.clear()
            await self.flush()

    async def tick(self) -> None:
        """For ever, once a minute: empty the windows of silent touchpoints, and forget what is too old."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = int(self._clock().timestamp())
            for partition in self._watermark.partitions.values():
                partition.advance(now)
                partition.forget()
            self._dirty.set()

    async def restore(self, numbers: set[int]) -> None:
        """Load the state of these partitions and fold them, and no others, from now on."""
        try:
            partitions = await self._load(numbers) if numbers else {}
        except Exception as error:
            end_now(Exit.CRASHED, f"cannot restore the windows: {error!r}")
        self._watermark.replace(partitions)
        self.restored = True
        log.info("restored", partitions=sorted(numbers), series=self.series_count())

    async def release(self) -> None:
        """Make everything durable and let go of all partitions."""
        self.restored = False
        try:
            await self._watermark.flush_and_drop(self._clock())
        except Exception as error:
            end_now(Exit.CRASHED, f"cannot make the windows durable: {error!r}")

    async def _load(self, numbers: set[int]) -> dict[int, Partition]:
        source = [(EVENTS.name, number) for number in sorted(numbers)]
        positions = await committed_positions(self._settings.kafka_bootstrap, self._group, source)
        self._breakers = await self._primed({number: at for (_, number), at in positions.items()})
        state = await read_state(self._settings.kafka_bootstrap, numbers)
        partitions = {}
        for (_, number), (committed, first) in positions.items():
            if committed < first:
                log.error(
                    "events expired unread", partition=number, first_lost=committed, last_lost=first - 1
                )
            partition = partitions[number] = Partition(
                number, max(committed, first), self._settings.remember_ids_hours * 3600
            )
            records.restore(partition, iter(state.newest.get(number, {}).items()))
            partition.rebuild_windows(int(self._clock().timestamp()))
        for number, key in state.stale:
            records.mark_for_rewrite(partitions[number], key)
        return partitions

    async def _primed(self, positions: dict[int, Positions]) -> dict[int, Breaker]:
        """Breakers that know the messages before the committed offsets: they judge as those before them did."""
        breakers = {number: Breaker(self._poison) for number in positions}

        def take(record: ConsumerRecord) -> None:
            read = decode(record.value)
            outcome = read.reason if isinstance(read, Rejected) else "counted"
            breakers[record.partition].take(record.offset, outcome, record.timestamp / 1000)

        await read_before(self._settings.kafka_bootstrap, EVENTS.name, positions, RECENT, take)
        return breakers

    def series_count(self) -> int:
        """How many touchpoints and metrics are in memory."""
        return sum(len(partition.series) for partition in self._watermark.partitions.values())

    def watermark_delay(self) -> float:
        """Seconds since the newest folded answer had arrived; 0 before there is one."""
        newest = max((p.newest_received for p in self._watermark.partitions.values()), default=0.0)
        return max(0.0, self._clock().timestamp() - newest) if newest else 0.0

    def committed_offsets(self) -> dict[int, int]:
        """For each partition, the source offset up to which everything is durable."""
        return {number: p.committed for number, p in self._watermark.partitions.items()}


def _stop(partition: int, trip: Trip) -> NoReturn:
    """End the process before anything of this chunk is flushed."""
    log.error(
        "poisoned",
        topic=EVENTS.name,
        partition=partition,
        first=trip.first.offset,
        offset=trip.offset,
        reason=trip.reason,
        count=trip.count,
        rule=trip.rule,
    )
    end_now(Exit.POISONED, trip.sentence(partition))
