"""Ends a worker that has stopped working without saying so: consumers are known to die silently."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.aggregator.exits import Exit, end_now

PARTITION_STALL_SECONDS = 90.0
ASK_SECONDS, ANSWER_SECONDS = 5.0, 2.0
"""How often Kafka is asked whether it is there while a partition stands still, and how long it may take to say so."""
START_GRACE_SECONDS = 30.0
"""How long a worker may take from its start to its first beat, on top of the limit for a running one."""


class Stalls:
    """Notices partitions that have unread records and make no progress. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._moved: dict[int, tuple[int, float]] = {}
        self.seconds = 0.0
        """The longest time at the last look."""

    def longest(self, lags: Mapping[int, tuple[int, int]], now: float) -> float:
        """The longest time that any partition has stood still; `lags` is {partition: (reached, end)}."""
        self._moved = {number: at for number, at in self._moved.items() if number in lags}
        longest = 0.0
        for number, (reached, end) in lags.items():
            before = self._moved.get(number)
            if before is None or before[0] != reached or reached >= end:
                self._moved[number] = (reached, now)
            else:
                longest = max(longest, now - before[1])
        self.seconds = longest
        return longest

    def excuse(self, now: float) -> None:
        """Begin anew with all of them: until now it was not this worker's fault."""
        self._moved = {number: (reached, now) for number, (reached, _) in self._moved.items()}


async def excuse_outages(stalls: Stalls, bootstrap: str) -> None:
    """For ever: do not count the time in which no broker answers. The client goes on by itself when one does."""
    while True:
        await asyncio.sleep(ASK_SECONDS)
        if stalls.seconds >= ASK_SECONDS and not await kafka_answers(bootstrap):
            stalls.excuse(time.monotonic())


async def kafka_answers(bootstrap: str) -> bool:
    """Whether a broker answers a connection of our own."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await client.start()
        return True
    except (KafkaError, OSError):  # TimeoutError is an OSError
        return False
    finally:
        await client.close()


class Heartbeat:
    """Ends the process when its event loop has stood still for longer than the group waits for it."""

    def __init__(self, limit_seconds: float, start_grace_seconds: float = START_GRACE_SECONDS) -> None:
        self._limit = limit_seconds
        self._beat = time.monotonic() + start_grace_seconds
        threading.Thread(target=self._watch, daemon=True).start()

    async def beat(self, every: Callable[[], None]) -> None:
        """For ever, each second: show that the loop is alive, and call `every`."""
        while True:
            self._beat = time.monotonic()
            every()
            await asyncio.sleep(1)

    def silent_for(self) -> float:
        """Seconds since the loop was last alive."""
        return time.monotonic() - self._beat

    def live(self) -> str:
        """Why the process is not alive, for /livez."""
        silent = self.silent_for()
        return "" if silent <= self._limit else f"the event loop has been silent for {silent:.0f} s"

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(0.5):
            if self.silent_for() > self._limit:
                end_now(Exit.STALLED, f"the event loop stood still for more than {self._limit:.0f} s")
