"""The rounds: throughput and memory at three numbers of touchpoints, the engines' own windows, then the lag."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from deploy.provision.topics import provision_topics
from tests.bench.peers.contenders import CONTENDERS, IDIOMATIC, Contender, install
from tests.bench.peers.figures import Figures, Run, flat, table
from tests.bench.peers.load import SPAN, Key, Ledger, answers, produce, produce_paced, warming
from tests.bench.peers.running import BROKER_CORE, Running, run_to_end
from tests.bench.peers.updates import Following
from tests.stack import ApacheKafka

START_SECONDS = 60.0
LAG_WARM_SECONDS = 3.0
"""The first answers after the start are not measured: a new broker takes its time for them."""


@dataclass(frozen=True)
class Plan:
    """How much is measured. `sizes` are touchpoints and rounds; a run longer than `bound` seconds is cut off."""

    events: int = 200_000
    sizes: tuple[tuple[int, int], ...] = ((1_000, 2), (10_000, 1), (100_000, 1))
    idiomatic_events: int = 1_000
    idiomatic_touchpoints: int = 100
    idiomatic_bound: float = 40.0
    lag_rate: int = 1_000
    lag_seconds: int = 12
    lag_touchpoints: int = 1_000
    bound: float = 120.0
    only: tuple[str, ...] = ()


def measure(plan: Plan | None = None) -> dict[str, float]:
    """Everything, one after the other; prints the table and gives the figures."""
    plan = plan or Plan()
    chosen = tuple(c for c in CONTENDERS if not plan.only or c.name in plan.only)
    own_windows = tuple(c for c in IDIOMATIC if not plan.only or c.name in plan.only)
    install((*chosen, *own_windows))
    figures = {c.name: Figures(c.peer, c.form) for c in (*chosen, *own_windows)}
    first = next((n for n, _ in plan.sizes), 0)
    with on_core(BROKER_CORE):
        for touchpoints, rounds in plan.sizes:
            for number in range(rounds):
                events = max(plan.events, 2 * touchpoints)
                _round(plan, chosen, (events, touchpoints), touchpoints == first and number < 2, figures)
        if own_windows:
            size = plan.idiomatic_events, plan.idiomatic_touchpoints
            _round(replace(plan, bound=plan.idiomatic_bound), own_windows, size, True, figures)
        for contender in chosen:
            if contender.read is not None and plan.lag_seconds:
                _lag(plan, contender, figures[contender.name])
    print(table(list(figures.values())), flush=True)
    return flat(figures)


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """This process and all it starts (broker, producer, follower) stay on one core; contenders go to another."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """An empty Apache Kafka with our topics."""
    kafka = ApacheKafka(folder / "kafka")
    try:
        bootstrap = kafka.start()
        provision_topics(bootstrap)
        yield bootstrap
    finally:
        kafka.stop()


def _round(
    plan: Plan,
    contenders: tuple[Contender, ...],
    size: tuple[int, int],
    with_starts: bool,
    figures: dict[str, Figures],
) -> None:
    """One broker, one load; every contender first on the warm-up answers only, which is its start, then on all."""
    events, touchpoints = size
    with tempfile.TemporaryDirectory(prefix="peers-") as name, broker(Path(name)) as bootstrap:
        folder, ledger = Path(name), Ledger()
        asyncio.run(produce(bootstrap, warming(), ledger))
        for contender in contenders if with_starts else ():
            run = _run(contender, bootstrap, folder / f"{contender.name}-start", ledger, START_SECONDS)
            figures[contender.name].starts.append(run)
            note(contender, "start", run)
        start = datetime.now(UTC) - SPAN
        asyncio.run(produce(bootstrap, answers(events, touchpoints, start), ledger))
        for contender in contenders:
            run = _run(contender, bootstrap, folder / f"{contender.name}-all", ledger, plan.bound)
            figures[contender.name].runs.setdefault(touchpoints, []).append(run)
            note(contender, f"{touchpoints} touchpoints", run)


def _run(contender: Contender, bootstrap: str, folder: Path, ledger: Ledger, bound: float) -> Run:
    return asyncio.run(run_to_end(contender, bootstrap, folder, ledger, bound))


def note(contender: Contender, what: str, run: Run) -> None:
    """Tell how it goes."""
    said = f"{run.events} events, CPU {run.cpu:.2f} s, wall {run.wall:.2f} s, {run.mb:.0f} MB, {run.verdict}"
    print(f"  {contender.name}, {what}: {said}", file=sys.stderr, flush=True)


def _lag(plan: Plan, contender: Contender, figures: Figures) -> None:
    with tempfile.TemporaryDirectory(prefix="peers-") as name, broker(Path(name)) as bootstrap:
        folder = Path(name) / f"{contender.name}-lag"
        delays = asyncio.run(_delays(plan, contender, bootstrap, folder))
    if len(delays) > 1:
        cuts = quantiles(delays, n=100)
        figures.lag_ms = (median(delays), cuts[98])
    expected = int(plan.lag_rate * (plan.lag_seconds - LAG_WARM_SECONDS))
    said = f"lag p50, p99 ms: {figures.lag_ms}, {len(delays)} of {expected} answers"
    print(f"  {contender.name}, {said}", file=sys.stderr, flush=True)


async def _delays(plan: Plan, contender: Contender, bootstrap: str, folder: Path) -> list[float]:
    """Milliseconds from each answer's send to the first update that counts it, once broker and contender are warm."""
    assert contender.read is not None
    ledger, sent, seen_of = Ledger(), dict[tuple[Key, int], float](), dict[Key, int]()
    delays: list[tuple[float, float]] = []

    def noticed(key: Key, n: int, at: float) -> None:
        for ordinal in range(seen_of.get(key, 0) + 1, n + 1):
            if (key, ordinal) in sent:
                delays.append((sent[key, ordinal], 1000 * (at - sent[key, ordinal])))
        seen_of[key] = max(n, seen_of.get(key, 0))

    await produce(bootstrap, warming(), ledger)
    running = Running(contender, bootstrap, folder, 0)
    following = Following(bootstrap, running.output, contender.read)
    try:
        await following.start()
        ready = partial(following.until, alive=running.alive)
        if not await ready(lambda seen: seen.total >= ledger.events, seconds=START_SECONDS):
            return []
        pace = produce_paced(bootstrap, plan.lag_rate, plan.lag_seconds, plan.lag_touchpoints, sent)
        pacing = asyncio.create_task(pace)
        expected = ledger.events + plan.lag_rate * plan.lag_seconds
        await ready(
            lambda seen: seen.total >= expected, seconds=plan.lag_seconds + plan.bound, noticed=noticed
        )
        await pacing
        warm = min(sent.values()) + LAG_WARM_SECONDS
        return [delay for at, delay in delays if at >= warm]
    finally:
        await following.stop()
        running.stop()
