"""Runs one contender on a core of its own until it has told everything, and says what it took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from deploy.provision.topics import provision_topics
from schemas.topics import PARTITIONS, Topic
from tests.bench.peers.contenders import OURS, Contender, environment
from tests.bench.peers.figures import Run
from tests.bench.peers.load import Ledger
from tests.bench.peers.updates import Following, Seen, verdict
from tests.bench.processes import resident_mb
from tests.stack import ROOT, tail, wait_for

BROKER_CORE, CONTENDER_CORE = 0, 1
STOP_SECONDS = 20.0


class Running:
    """A contender's process, pinned to a core."""

    def __init__(self, contender: Contender, bootstrap: str, folder: Path, events: int) -> None:
        run = folder.name
        self.contender = contender
        self.log = folder / "log"
        self.output = contender.output(run)
        folder.mkdir(parents=True)
        state = folder / "state"
        contender.prepare(state)
        if contender.read is not None and contender.name != OURS:
            make_topic(bootstrap, self.output)
        command = ["taskset", "-c", str(CONTENDER_CORE), *contender.command(state)]
        env = environment(contender, bootstrap, self.output, state, events)
        self.started = time.perf_counter()
        with self.log.open("wb") as log, (folder / "out").open("wb") as out:
            self._process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=log)
        self._out = folder / "out"
        self._ended: tuple[int, float] | None = None

    def alive(self) -> bool:
        """Whether it runs."""
        return not self._reap(os.WNOHANG)

    def resident_mb(self) -> float:
        """Resident memory of it and its children, 0 when it has ended."""
        try:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
            return resident_mb(self._process.pid) + sum(resident_mb(int(pid)) for pid in children.split())
        except (FileNotFoundError, ProcessLookupError):
            return 0.0

    def stop(self) -> float:
        """Stop it as an operator would, or kill it; gives the CPU seconds of its life."""
        if self.alive():
            self._process.send_signal(signal.SIGTERM)
        try:
            wait_for(lambda: not self.alive(), STOP_SECONDS, f"{self.contender.name} stops")
        except AssertionError:
            self._process.kill()
            self._reap(0)
        assert self._ended is not None
        return self._ended[1]

    def printed(self) -> dict[str, Any]:
        """What a floor has printed."""
        return dict(json.loads(self._out.read_bytes() or b"{}"))

    def _reap(self, options: int) -> bool:
        if self._ended is None:
            pid, status, usage = os.wait4(self._process.pid, options)
            if pid:
                self._process.returncode = os.waitstatus_to_exitcode(status)
                self._ended = status, usage.ru_utime + usage.ru_stime
        return self._ended is not None


def make_topic(bootstrap: str, name: str) -> None:
    """An output topic as wide as the input."""
    declared = Topic(name, PARTITIONS, "update", "touchpoint/metric", "peer", "benchmark", {})
    provision_topics(bootstrap, declared=[declared])


async def run_to_end(contender: Contender, bootstrap: str, folder: Path, ledger: Ledger, bound: float) -> Run:
    """Run a contender from the beginning of the topic until its updates have every answer of the ledger."""
    running = Running(contender, bootstrap, folder, ledger.events)
    try:
        if contender.read is None:
            return _run_floor(running, ledger, bound)
        following = Following(bootstrap, running.output, contender.read)
        await following.start()
        done = await following.until(lambda seen: seen.total >= ledger.events, running.alive, bound)
        wall, mb = time.perf_counter() - running.started, running.resident_mb()
        await following.stop()
        cpu = running.stop()
        said = _judged(running, ledger, following.seen, done)
        return Run(cpu, wall, following.rate, mb, following.seen.total, done, said)
    finally:
        running.stop()


def _judged(running: Running, ledger: Ledger, seen: Seen, done: bool) -> str:
    said = verdict(ledger, seen.figures)
    return said if done else f"{said}; log: {tail(running.log)[-300:].strip()}"


def _run_floor(running: Running, ledger: Ledger, bound: float) -> Run:
    wait_for(lambda: not running.alive(), bound, f"{running.contender.name} has read everything")
    wall = time.perf_counter() - running.started
    printed = running.printed()
    counts = printed["counts"]
    right = {key: list(ledger.window(key, 1440)) for key in ledger.minutes}
    said = "exact" if counts == right else "wrong"
    return Run(running.stop(), wall, printed["rate"], printed["resident_mb"], ledger.events, True, said)
