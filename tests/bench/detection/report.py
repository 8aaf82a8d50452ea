"""What the benchmark found, as tables for people and as figures for programs."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from tests.bench.detection import real
from tests.bench.detection.rivals import NAIVE
from tests.bench.detection.scenario import OPTIMUM, OURS, SIZES, Delay, Delays, Quiet
from tests.bench.detection.worlds import World

MANY_MISSED = 1 / 3


class Found(NamedTuple):
    """One scenario's results."""

    world: World
    quiet: Quiet
    delays: Delays

    def false_alarms(self) -> float:
        """Ours, per touchpoint and month."""
        return self.quiet.alarms / self.quiet.touchpoints / 12

    def answers(self, method: str, size: float) -> float:
        """Mean answers from a drop to its alarm."""
        return statistics.fmean(delay.answers for delay in self.delays[method, size])

    def best_rival(self, size: float) -> tuple[str, float]:
        """The quickest of the others, by its mean."""
        means = {m: self.answers(m, s) for m, s in self.delays if s == size and m not in (OURS, OPTIMUM)}
        best = min(means, key=means.__getitem__)
        return best, means[best]

    def best_naive(self, size: float) -> float:
        """The quickest of those in common use."""
        return min(self.answers(method, size) for method in NAIVE)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def delays_table(all_found: list[Found]) -> str:
    """Mean delays in answers; every method at our false alarms."""
    methods = list(dict.fromkeys(method for method, _ in all_found[0].delays))
    head = ["answers/h, world", "false alarms per touchpoint-year", *methods]
    rows = [
        [
            found.world.name,
            f"{12 * found.false_alarms():.2f}",
            *(" / ".join(cell(found.delays[method, size]) for size in SIZES) for method in methods),
        ]
        for found in all_found
    ]
    return table(head, rows)


def cell(delays: list[Delay]) -> str:
    """A mean, or a dash where a third or more were missed."""
    if statistics.fmean(delay.missed for delay in delays) >= MANY_MISSED:
        return "–"
    return f"{statistics.fmean(delay.answers for delay in delays):.0f}"


def ratios_table(all_found: list[Found]) -> str:
    """Ours in hours, and against the optimum, the best of the others and the best naive one."""
    head = ["answers/h, world", "drop", "ours, hours", "missed", "× optimum", "× best other", "× best naive"]
    rows = []
    for found in all_found:
        for size in SIZES:
            ours, (name, best) = found.answers(OURS, size), found.best_rival(size)
            hours = statistics.fmean(delay.hours for delay in found.delays[OURS, size])
            missed = statistics.fmean(delay.missed for delay in found.delays[OURS, size])
            rows.append(
                [
                    found.world.name,
                    f"{100 * size:.0f}",
                    f"{hours:.1f}",
                    f"{missed:.0%}",
                    f"{ours / found.answers(OPTIMUM, size):.2f}",
                    f"{ours / best:.2f} ({name})",
                    f"{ours / found.best_naive(size):.2f}",
                ]
            )
    return table(head, rows)


def figures(all_found: list[Found]) -> dict[str, float]:
    """Every figure under a name of its own."""
    found_figures: dict[str, float] = {}
    for found in all_found:
        name = f"detection {found.world.name}"
        found_figures[f"{name}, false alarms per touchpoint-month"] = found.false_alarms()
        for (method, size), delays in found.delays.items():
            drop = f"{name}, {method}, {100 * size:.0f} points"
            found_figures[f"{drop}, answers"] = found.answers(method, size)
            found_figures[f"{drop}, hours"] = statistics.fmean(delay.hours for delay in delays)
            found_figures[f"{drop}, missed"] = statistics.fmean(delay.missed for delay in delays)
            found_figures[f"{drop}, touchpoints"] = len(delays)
    return found_figures


def real_table(injected: list[real.Injected]) -> str:
    """Mean delays in answers after drops put into real answers."""
    methods = list(dict.fromkeys(name.rpartition(" ")[0] for name in injected[0].delays))
    head = ["real touchpoint", "answers", "false alarms a year, shuffled", *methods]
    rows = [
        [
            one.touchpoint,
            str(one.answers),
            f"{one.false_alarms_a_year:.2f}",
            *(
                " / ".join(real_cell(one, f"{method} {share:.0%}") for share in real.SHARES)
                for method in methods
            ),
        ]
        for one in injected
    ]
    return table(head, rows)


def real_cell(one: real.Injected, key: str) -> str:
    """A mean, or a dash where a third or more were missed or the method rang before."""
    return f"{one.delays[key]:.0f}" if one.missed.get(key, 1.0) < MANY_MISSED else "–"


def alarms_table(alarms: list[real.Alarm]) -> str:
    """What is said to real answers as they are."""
    rows = [
        [a.touchpoint, a.kind, a.at, f"{100 * a.level_before:.0f} → {100 * a.level_after:.0f}"]
        for a in alarms
    ]
    return table(["real touchpoint", "said", "at", "level, %"], rows)
