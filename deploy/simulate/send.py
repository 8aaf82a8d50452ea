"""Sends made-up answers when their time comes, a few requests at once, and counts what became of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from deploy.history.door import Door
from schemas.feedback import Answer

AT_ONCE = 8
"""Requests in flight."""
TICK = timedelta(milliseconds=100)
"""How long an answer may wait for company in its batch."""

Clock = Callable[[], datetime]


class Sent:
    """What was sent so far and what became of it."""

    def __init__(self) -> None:
        self.sent = 0
        self.accepted = 0
        self.rejected: Counter[str] = Counter()


async def send(answers: Iterable[Answer], door: Door, batch: int, clock: Clock, sent: Sent) -> None:
    """Send until the answers end. Raises Failure when the server is gone or refuses."""
    slots = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for lot in lots(answers, batch):
            due = lot[-1].occurred_at
            assert due is not None
            await asyncio.sleep((due - clock()).total_seconds())
            await slots.acquire()
            group.create_task(_post(lot, door, sent, slots))


def lots(answers: Iterable[Answer], batch: int) -> Iterable[list[Answer]]:
    """Answers in order, at most `batch` together and none waiting longer than a tick for the others."""
    lot: list[Answer] = []
    for answer in answers:
        first = lot[0].occurred_at if lot else None
        if lot and first and answer.occurred_at and (len(lot) >= batch or answer.occurred_at - first > TICK):
            yield lot
            lot = []
        lot.append(answer)
    if lot:
        yield lot


async def _post(lot: list[Answer], door: Door, sent: Sent, slots: asyncio.Semaphore) -> None:
    try:
        sent.sent += len(lot)
        posted = await door.post([msgspec.json.encode(answer) for answer in lot])
        sent.accepted += posted.accepted
        sent.rejected.update(item.reason for item in posted.rejected)
    finally:
        slots.release()
