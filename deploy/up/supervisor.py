"""Keeps the parts running: starts each, starts it again when it dies, waits for readiness, stops in order."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Iterable
from pathlib import Path

from deploy.up.failure import CANNOT_START, Failure
from deploy.up.parts import Part
from deploy.up.probes import Probe
from deploy.up.process import exit_words, last_line, start, stop
from deploy.up.restart import GiveUp, Policy, after_death

READY_SECONDS = 60.0
STOP_SECONDS = 12.0
GRACE_SECONDS = 5.0
LEAST_GRACE = 0.5

Say = Callable[[str], None]
Clock = Callable[[], float]


class Supervisor:
    """The processes of one stack. `changed` is called whenever a part has got a new process id."""

    def __init__(self, logs: Path, say: Say, clock: Clock, policy: Policy) -> None:
        self._logs = logs
        self._say = say
        self._clock = clock
        self._policy = policy
        self._processes: dict[str, Process] = {}
        self._ready: set[str] = set()
        self.changed: Callable[[], None] = lambda: None

    def log(self, name: str) -> Path:
        """Where the output of a part goes."""
        return self._logs / f"{name}.log"

    def pids(self) -> dict[str, int]:
        """Process ids by part, as of now."""
        return {name: process.pid for name, process in self._processes.items()}

    async def keep(self, part: Part) -> None:
        """Run a part until cancelled, again and again; raises Failure when that makes no sense."""
        deaths: tuple[float, ...] = ()
        while True:
            process = self._processes[part.name] = await start(part, self.log(part.name))
            self.changed()
            code = await process.wait()
            self._refuse_unstartable(part, code)
            step = after_death(self._policy, deaths, self._clock())
            if isinstance(step, GiveUp):
                raise Failure(self._given_up(part, code, step.times))
            self._say(
                f"{part.name} {exit_words(code)} and is started again; its log is {self.log(part.name)}"
            )
            deaths = step.deaths
            await asyncio.sleep(step.delay)

    def _refuse_unstartable(self, part: Part, code: int) -> None:
        """Exit code 2 before a part was ever ready: it says itself what has to be changed."""
        if code == CANNOT_START and part.name not in self._ready:
            log = self.log(part.name)
            raise Failure(f"{part.name} cannot start: {last_line(log)} (its log is {log})", CANNOT_START)

    def _given_up(self, part: Part, code: int, times: int) -> str:
        return (
            f"{part.name} died {times} times within {self._policy.within:.0f} s (the last time it "
            f"{exit_words(code)}), so everything is stopped; its log is {self.log(part.name)}"
        )

    async def await_ready(self, name: str, probe: Probe) -> None:
        """Return when the part is ready; raises Failure when that takes too long."""
        deadline = self._clock() + READY_SECONDS
        while reason := await probe():
            if self._clock() > deadline:
                raise Failure(
                    f"{name} is not ready after {READY_SECONDS:.0f} s ({reason}), so everything is stopped; "
                    f"its log is {self.log(name)}"
                )
            await asyncio.sleep(0.05)
        self._ready.add(name)

    async def stop(self, order: Iterable[str]) -> None:
        """Stop the parts one after the other: each is asked, and killed when its time is over."""
        deadline = self._clock() + STOP_SECONDS
        for name in order:
            process = self._processes.get(name)
            if process is None or process.returncode is not None:
                continue
            grace = max(LEAST_GRACE, min(GRACE_SECONDS, deadline - self._clock()))
            if not await stop(process, grace):
                self._say(
                    f"{name} did not stop within {grace:.0f} s and was killed; its log is {self.log(name)}"
                )
