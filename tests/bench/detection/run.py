"""`python -m tests.bench detection`: all scenarios and the real data, on as many processes as there are cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.bench.detection import drift, real, report, scenario
from tests.bench.detection.report import Found
from tests.bench.detection.rivals import RIVALS, threshold_for
from tests.bench.detection.scenario import FLEET, SEED, SIZES, YEAR_DAYS, Delays, optimum
from tests.bench.detection.worlds import WORLDS, World, stream

QUIET_TOUCHPOINTS, DROPPED_TOUCHPOINTS = 200, 300


def measure() -> dict[str, float]:
    """Every figure by name; the tables go to standard error. AFTERTOUCH_BENCH_SHARE makes it smaller."""
    share = float(os.environ.get("AFTERTOUCH_BENCH_SHARE", "1"))
    fleets = [max(1, int(share * count) // FLEET) for count in (QUIET_TOUCHPOINTS, DROPPED_TOUCHPOINTS)]
    workers = int(os.environ.get("AFTERTOUCH_BENCH_WORKERS", "0")) or os.cpu_count()
    say(
        f"seeds {SEED} and {real.SEED}; {fleets[0] * FLEET} quiet and {fleets[1] * FLEET} dropped touchpoints"
    )
    with ProcessPoolExecutor(workers) as pool:
        found = [measured(world, fleets[0], fleets[1], pool) for world in WORLDS]
        say(report.delays_table(found))
        say(report.ratios_table(found))
        return report.figures(found) | (real_figures(pool) if real.available() else {})


def measured(world: World, quiet_fleets: int, dropped_fleets: int, pool: ProcessPoolExecutor) -> Found:
    """One scenario."""
    quiet = scenario.merged(list(pool.map(partial(scenario.quiet, world), range(quiet_fleets))))
    thresholds = {
        name: threshold_for(quiet.peaks[name], quiet.alarms) for name in (*RIVALS, *map(optimum, SIZES))
    }
    per_month = quiet.alarms / quiet.touchpoints / 12
    strict = pool.map(partial(strictness, world, per_month), drift.METHODS)
    thresholds |= zip(drift.METHODS, strict, strict=True)
    parts = pool.map(partial(scenario.drops, world, thresholds=thresholds), range(dropped_fleets))
    found = Found(world, quiet, joined(parts))
    say(report.delays_table([found]))
    return found


def strictness(world: World, per_month: float, method: str) -> float:
    """The strictness at which a library's detector gives our false alarms."""
    yearly = world.hourly * 24 * YEAR_DAYS
    count = int(min(QUIET_TOUCHPOINTS, max(4, drift.ANSWERS_FOR_CALIBRATION / yearly)))
    streams = [stream(world, YEAR_DAYS, (SEED, 3, number)) for number in range(count)]
    return drift.calibrated(method, streams, per_month, 12.0)


def joined(parts: Iterator[Delays]) -> Delays:
    """The delays of all fleets."""
    together: Delays = {}
    for part in parts:
        for key, delays in part.items():
            together.setdefault(key, []).extend(delays)
    return together


def real_figures(pool: ProcessPoolExecutor) -> dict[str, float]:
    """The real data: its alarms as they are, and the drops put into it."""
    touchpoints = list(real.touchpoints())
    alarms = [alarm for name, stream in touchpoints for alarm in real.alarms(name, stream)]
    say(report.alarms_table(alarms))
    large = [(name, stream) for name, stream in touchpoints if len(stream.times) >= real.LEAST_ANSWERS]
    injected = list(pool.map(real.injected, *zip(*large, strict=True)))
    say(report.real_table(injected))
    figures: dict[str, float] = {"detection real, alarms": len(alarms)}
    for one in injected:
        for method, count in one.delays.items():
            figures[f"detection real, {one.touchpoint}, {method}, answers"] = count
            figures[f"detection real, {one.touchpoint}, {method}, missed"] = one.missed[method]
    return figures


def say(text: str) -> None:
    """To standard error: standard output is for figures."""
    print(text + "\n", file=sys.stderr, flush=True)
