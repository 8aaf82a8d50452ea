"""Steps 3 and 5 of 5 from signal to message: alerts wait here for their receivers, one line for each, so that
neither a slow receiver nor a dead one holds up signals or other receivers; the outcome goes into the book."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from msgspec import Struct
from msgspec.structs import replace

from schemas.alerts import Alert, DeliveryOutcome
from schemas.metrics import ALERTS_DELAY_SECONDS, ALERTS_DELIVERIES
from services.alerts.notify.receivers import Receivers
from services.alerts.notify.verdict import Delivered, Drop, Patience, Retry, Verdict, persist
from services.operations.telemetry import Telemetry

log = structlog.get_logger()


class Book(Protocol):
    """Where outcomes are written down."""

    async def record(self, spoken: Alert, outcome: DeliveryOutcome, detail: str = "") -> None:
        """Write down what came of telling the receiver of this state."""


class Chance(Struct, frozen=True):
    """What a line cannot know by itself: the time, how to let it pass, and a number from 0 to 1."""

    clock: Callable[[], datetime]
    pause: Callable[[float], Awaitable[None]]
    draw: Callable[[], float]


class Limits(Struct, frozen=True):
    """At most `waiting` alerts wait for one receiver, and `at_once` are posted to it at the same time. When the
    service stops, posts under way have `last_seconds` to be answered and written down."""

    waiting: int = 10_000
    at_once: int = 8
    last_seconds: float = 1.0
    patience: Patience = Patience()


class Job(Struct, frozen=True):
    """A state of an alert to be told. `received_at`: when its answer came (None: before a restart)."""

    alert: Alert
    since: datetime
    received_at: datetime | None
    tries: int = 0


Post = Callable[[str, Alert], Awaitable[Verdict]]


class Line:
    """The alerts waiting for one receiver. An alert is posted by one worker at a time, so its states stay in
    order; when it moves on while it waits, only its newest state is told."""

    def __init__(self, url: str, post: Post, book: Book, telemetry: Telemetry, chance: Chance) -> None:
        self._url, self._post, self._book = url, post, book
        self._telemetry, self._chance = telemetry, chance
        self._jobs: dict[str, Job] = {}
        self._due: asyncio.Queue[str] = asyncio.Queue()
        self._closed_until = chance.clock()
        self._log = log.bind(receiver=urlsplit(url).hostname)

    def offer(self, alert: Alert, received_at: datetime | None, limits: Limits) -> bool:
        """Let an alert wait here; False when too many do."""
        known = self._jobs.get(alert.alert_id)
        if known is not None and known.alert.version >= alert.version:
            return True
        if known is None and len(self._jobs) >= limits.waiting:
            return False
        self._jobs[alert.alert_id] = Job(alert, self._chance.clock(), received_at)
        if known is None:
            self._due.put_nowait(alert.alert_id)
        return True

    async def work(self, limits: Limits) -> None:
        """Post what is due, `at_once` at a time, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(limits.at_once):
                tasks.create_task(self._work(tasks, limits))

    async def _work(self, tasks: asyncio.TaskGroup, limits: Limits) -> None:
        while True:
            alert_id = await self._due.get()
            await self._until_open()
            job = self._jobs[alert_id]
            telling = asyncio.create_task(self._tell(job, limits.patience))
            try:
                verdict = await asyncio.shield(telling)
            except asyncio.CancelledError:
                await asyncio.wait([telling], timeout=limits.last_seconds)
                telling.cancel()
                raise
            if isinstance(verdict, Retry):
                tasks.create_task(self._again(job, verdict))

    async def _tell(self, job: Job, patience: Patience) -> Verdict:
        verdict = self._weigh(job, await self._post(self._url, job.alert), patience)
        if isinstance(verdict, Retry):
            self._telemetry.count(ALERTS_DELIVERIES, "retry")
        else:
            await self._finish(job, verdict)
        return verdict

    def _weigh(self, job: Job, verdict: Verdict, patience: Patience) -> Verdict:
        if not isinstance(verdict, Retry):
            return verdict
        now = self._chance.clock()
        decided = persist(verdict, job.tries + 1, now - job.since, self._chance.draw(), patience)
        if verdict.after_seconds is not None and isinstance(decided, Retry):
            self._closed_until = max(self._closed_until, now + timedelta(seconds=verdict.after_seconds))
        return decided

    async def _until_open(self) -> None:
        """A receiver that asks for a pause gets it for everything in its line."""
        while (left := (self._closed_until - self._chance.clock()).total_seconds()) > 0:
            await self._chance.pause(left)

    async def _again(self, job: Job, retry: Retry) -> None:
        alert_id, seconds = job.alert.alert_id, retry.after_seconds or 0.0
        self._log.info(
            "delivery failed, will be tried again", reason=retry.reason, in_seconds=round(seconds, 1)
        )
        if self._jobs[alert_id] is job:
            self._jobs[alert_id] = replace(job, tries=job.tries + 1)
        await self._chance.pause(seconds)
        self._due.put_nowait(alert_id)

    async def _finish(self, job: Job, verdict: Delivered | Drop) -> None:
        alert_id = job.alert.alert_id
        if isinstance(verdict, Drop):
            self._telemetry.count(ALERTS_DELIVERIES, "dropped")
            self._log.error("delivery given up", alert_id=alert_id, reason=verdict.reason)
            await self._book.record(job.alert, "dropped", verdict.reason)
        else:
            self._telemetry.count(ALERTS_DELIVERIES, "delivered")
            if job.received_at:
                delay = self._chance.clock() - job.received_at
                self._telemetry.timed(ALERTS_DELAY_SECONDS, delay.total_seconds())
            await self._book.record(job.alert, "delivered")
        if self._jobs[alert_id] is job:
            del self._jobs[alert_id]
        else:
            self._due.put_nowait(alert_id)


class Deliveries:
    """All lines, one for each configured address."""

    def __init__(self, receivers: Receivers, lines: dict[str, Line], book: Book, limits: Limits) -> None:
        self._receivers, self._lines, self._book, self._limits = receivers, lines, book, limits

    async def offer(self, alert: Alert, received_at: datetime | None = None) -> None:
        """Have the alert's team told. Returns at once; when that cannot be, the book says why."""
        line = self._lines.get(self._receivers.of(alert))
        if line is None:
            await self._book.record(alert, "not_configured")
        elif not line.offer(alert, received_at, self._limits):
            await self._book.record(alert, "dropped", "too many alerts wait for this receiver")

    async def run(self) -> None:
        """Work on all lines, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines.values():
                tasks.create_task(line.work(self._limits))
