"""Time that passes when told to, and a journal that outlives its readers without a broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime, timedelta

from schemas.alerts import Alert, DeliveryOutcome
from services.alerts.book import Entry
from services.alerts.notify.queue import Chance
from tests.alerts.examples import NOW


class ManualClock:
    """Stands still, except that every pause moves it on at once."""

    def __init__(self) -> None:
        self.now = NOW
        self.pauses: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def chance(self) -> Chance:
        return Chance(self, self.pause, lambda: 0.0)


class MemoryTopic:
    """What feedback.alerts holds."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []


class MemoryJournal:
    """One process's reading of a topic that others may read and write too."""

    def __init__(self, topic: MemoryTopic) -> None:
        self._topic, self._read = topic, 0

    async def unread(self) -> AsyncIterator[Entry]:
        end = len(self._topic.entries)
        while self._read < end:
            self._read += 1
            yield self._topic.entries[self._read - 1]

    async def send(self, alert: Alert, *, forget: bool = False) -> Awaitable[object]:
        self._topic.entries.append(Entry(alert.alert_id, None if forget else alert))
        return _acknowledged()


async def _acknowledged() -> None:
    return None


class RecordingBook:
    """Remembers outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, DeliveryOutcome, str]] = []

    async def record(self, spoken: Alert, outcome: DeliveryOutcome, detail: str = "") -> None:
        self.outcomes.append((spoken.state, outcome, detail))
