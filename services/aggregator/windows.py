"""Steps 2 and 3 of the aggregator: the windows worker restores its partitions, folds chunks, and has them flushed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn

import structlog
from aiokafka import ConsumerRecord

from schemas import metrics
from schemas.feedback import decode
from schemas.rejections import Rejected
from schemas.topics import EVENTS
from services.aggregator import records
from services.aggregator.exits import Exit, end_now, or_end
from services.aggregator.kafka import Positions, committed_positions, read_before, read_state
from services.aggregator.partition import Partition
from services.aggregator.poison import RECENT, Breaker, Policy, Trip
from services.aggregator.rules import live_series
from services.aggregator.rules_file import RulesFile
from services.aggregator.settings import AggregatorSettings
from services.aggregator.watermark import Watermark
from services.operations.telemetry import Telemetry

log = structlog.get_logger()

UNFLUSHED_LIMIT = 250_000
"""So many folded and not yet durable answers make the worker wait for a flush."""
BACKLOG_CHUNK_RECORDS = 100
"""So many records of one partition at once are a backlog: of live ones a poll finds a few."""
BACKLOG_REST_SECONDS = 2.0
"""While a backlog is read its scores are old before they are told, so they are told and saved this rarely."""
TICK_SECONDS = 60

Clock = Callable[[], datetime]


class Windows:
    """What the Faust agent, its timers and its rebalance hooks call."""

    def __init__(
        self,
        group: str,
        settings: AggregatorSettings,
        watermark: Watermark[Partition],
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._rules = RulesFile(settings.rules_file)
        self._live_series = 0
        self._ends: dict[int, int] = {}
        self.restored = False
        self._group = group
        self._settings = settings
        self._watermark = watermark
        self._telemetry = telemetry
        self._clock = clock
        self._backlog_until = clock()
        self._poison = Policy(settings.poison_in_a_row, settings.poison_share)
        self._breakers: dict[int, Breaker] = {}
        self._unflushed = 0
        self._unpublished = asyncio.Event()
        self._undurable = asyncio.Event()
        self._noticed = asyncio.Event()

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
        if len(chunk) >= BACKLOG_CHUNK_RECORDS:
            self._backlog_until = self._clock() + timedelta(seconds=BACKLOG_REST_SECONDS)
        await self._keep_to_rules(partition, fresh[0].offset)
        if self._watermark.partitions.get(partition.number) is not partition:
            return  # taken away meanwhile
        self._fold(partition, fresh)
        if self._unflushed >= UNFLUSHED_LIMIT:
            await self.flush()

    def _fold(self, partition: Partition, fresh: list[ConsumerRecord]) -> None:
        outcomes: Counter[str] = Counter()
        breaker, good = self._breakers[partition.number], 0
        for record in fresh:
            logged_at = record.timestamp / 1000
            became = partition.apply(record.offset, record.value, logged_at)
            if became == "counted":
                good += 1
                continue
            outcomes.update({became: 1, "counted": good})
            breaker.pass_over(good)
            good = 0
            if trip := breaker.take(record.offset, became, logged_at):
                _stop(partition.number, trip)
        outcomes["counted"] += good
        breaker.pass_over(good)
        for outcome, count in outcomes.items():
            self._telemetry.count(metrics.WINDOWS_EVENTS, outcome, by=count)
        self._unflushed += len(fresh)
        self._unpublished.set()
        self._undurable.set()
        if partition.outputs.signals:
            self._noticed.set()

    async def _keep_to_rules(self, partition: Partition, offset: int) -> None:
        """Have the partition go by the present rules from this offset on, which is folded next.

        But not before the end that the log had at the start: another worker may have folded up to there.
        """
        newest = partition.rulings.newest
        if self._rules.rules is None or newest is (
            ruling := newest.revised(self._rules.rules, self._live_series)
        ):
            return
        offset = max(offset, self._ends[partition.number])
        with or_end("cannot write down the rules"):
            await self._watermark.keep([records.ruled(partition.number, offset, ruling)])
        partition.rulings.add(offset, ruling)
        log.info("rules count", partition=partition.number, offset=offset, live_series=ruling.live_series)

    def _look_at_rules(self) -> None:
        """See whether the rules have changed, and among how many series a budget is divided."""
        self._rules.look()
        self._telemetry.level(metrics.WINDOWS_RULES_REFUSED, bool(self._rules.problem))
        owned = self._watermark.partitions.values()
        live = sum(live_series(one.series.values(), one.newest_received) for one in owned)
        self._live_series = live * EVENTS.partitions // max(1, len(owned))

    async def tell_when_noticed(self) -> None:
        """For ever: publish signals as soon as there are any."""
        while True:
            await self._noticed.wait()
            self._noticed.clear()
            kinds = Counter(s.kind for p in self._watermark.partitions.values() for s in p.outputs.signals)
            with or_end("cannot publish signals"):
                await self._watermark.tell(self._clock())
            for kind, count in kinds.items():
                self._telemetry.count(metrics.WINDOWS_SIGNALS, kind, by=count)

    async def publish_when_due(self) -> None:
        """For ever: publish panes and scores `flush_seconds` after an answer, or more rarely in a backlog."""
        while True:
            await self._unpublished.wait()
            await self._rest(self._settings.flush_seconds)
            self._unpublished.clear()
            with or_end("cannot publish the windows"):
                await self._watermark.publish(self._clock())

    async def flush_when_due(self) -> None:
        """For ever: flush `commit_seconds` after an answer, or more rarely in a backlog."""
        while True:
            await self._undurable.wait()
            await self._rest(self._settings.commit_seconds)
            self._undurable.clear()
            await self.flush()

    async def _rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._clock() < self._backlog_until:
            await asyncio.sleep(max(0.0, BACKLOG_REST_SECONDS - seconds))

    async def flush(self) -> None:
        """Make everything folded durable, or end the process."""
        size, self._unflushed = self._unflushed, 0
        started = self._clock()
        with or_end("cannot make the windows durable"):
            if not await self._watermark.flush(started):
                log.warning("commit refused, the group is rebalancing")
        self._telemetry.timed(metrics.WINDOWS_FLUSH_SECONDS, (self._clock() - started).total_seconds())
        self._telemetry.sized(metrics.WINDOWS_FLUSH_RECORDS, size)

    async def tick(self) -> None:
        """For ever, once a minute: empty the windows of silent touchpoints, and forget what is too old."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._look_at_rules()
            now = int(self._clock().timestamp())
            for partition in list(self._watermark.partitions.values()):
                partition.advance(now)
                partition.forget()
                await asyncio.sleep(0)  # many touchpoints: chunks and heartbeats take their turn
            self._unpublished.set()
            self._undurable.set()

    async def restore(self, numbers: set[int]) -> None:
        """Load the state of these partitions and fold them, and no others, from now on."""
        with or_end("cannot restore the windows"):
            partitions = await self._load(numbers) if numbers else {}
        self._watermark.replace(partitions)
        self._look_at_rules()
        self.restored = True
        log.info("restored", partitions=sorted(numbers), series=self.series_count())

    async def release(self) -> None:
        """Make everything durable and let go of all partitions."""
        self.restored = False
        with or_end("cannot make the windows durable"):
            await self._watermark.flush_and_drop(self._clock())

    async def _load(self, numbers: set[int]) -> dict[int, Partition]:
        source = [(EVENTS.name, number) for number in sorted(numbers)]
        positions = await committed_positions(self._settings.kafka_bootstrap, self._group, source)
        self._ends = {number: at.end for (_, number), at in positions.items()}
        self._breakers = await self._primed({number: at for (_, number), at in positions.items()})
        partitions = {}
        async for number, state in read_state(self._settings.kafka_bootstrap, numbers):
            at = positions[EVENTS.name, number]
            if at.committed < at.first:
                log.error(
                    "events expired unread", partition=number, first_lost=at.committed, last_lost=at.first - 1
                )
            partition = partitions[number] = Partition(
                number, at.start, self._settings.remember_ids_hours * 3600
            )
            records.restore(partition, iter(state.newest.get(number, {}).items()))
            partition.rebuild_windows(int(self._clock().timestamp()))
            for _, key in state.stale:
                records.mark_for_rewrite(partition, key)
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
