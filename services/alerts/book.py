"""The book of alerts: memory and the topic feedback.alerts, kept in step; no change without a record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from schemas.alerts import Alert, DeliveryOutcome
from schemas.signals import Signal
from services.alerts.lifecycle import Step, alert_id_of, step, told
from services.alerts.notify.receivers import Receivers
from services.alerts.store import AlertStore

Clock = Callable[[], datetime]


class Entry(Struct, frozen=True):
    """One message of feedback.alerts; without an alert it is a tombstone."""

    alert_id: str
    alert: Alert | None


class Journal(Protocol):
    """Where alerts outlive the process."""

    def unread(self) -> AsyncIterator[Entry]:
        """What was written since the last call (at first: everything), up to the present end."""

    async def send(self, alert: Alert, *, forget: bool = False) -> Awaitable[object]:
        """Put one state (or a tombstone) in line; awaiting the answer awaits the acknowledgement."""


class AlertBook:
    """Applies changes one at a time, in memory and in the journal in the same order."""

    def __init__(self, store: AlertStore, journal: Journal, receivers: Receivers, clock: Clock) -> None:
        self._store, self._journal, self._receivers, self._clock = store, journal, receivers, clock
        self._one_at_a_time = asyncio.Lock()

    async def catch_up(self) -> None:
        """Learn what the journal knows, from where reading stopped to its present end."""
        async for entry in self._journal.unread():
            if entry.alert is None:
                self._store.remove(entry.alert_id)
            else:
                self._store.put(entry.alert)

    async def turn(self, signal: Signal) -> tuple[Step, Awaitable[object]]:
        """Apply a signal. The second result is awaited until the change, if any, is acknowledged."""
        async with self._one_at_a_time:
            taken = step(self._store.find(alert_id_of(signal)), signal, self._clock())
            if (changed := taken.changed) is None:
                return taken, _nothing()
            alert = self._receivers.addressed(changed)
            return Step(alert, taken.reason), await self._write(alert)

    async def record(self, spoken: Alert, outcome: DeliveryOutcome, detail: str = "") -> None:
        """Write down what came of telling the receiver, and wait until that is acknowledged."""
        async with self._one_at_a_time:
            present = self._store.find(spoken.alert_id)
            alert = told(present, spoken, outcome, detail, self._clock()) if present else None
            acknowledged = await self._write(alert) if alert else _nothing()
        await acknowledged

    async def forget_old(self) -> int:
        """Drop what nobody needs any more from memory and topic; how many that were."""
        acknowledgements = []
        async with self._one_at_a_time:
            for alert in self._store.forgettable(self._clock()):
                self._store.remove(alert.alert_id)
                acknowledgements.append(await self._journal.send(alert, forget=True))
        await asyncio.gather(*acknowledgements)
        return len(acknowledgements)

    async def _write(self, alert: Alert) -> Awaitable[object]:
        self._store.put(alert)
        return await self._journal.send(alert)


async def _nothing() -> None:
    """Stands for the acknowledgement of no change."""
