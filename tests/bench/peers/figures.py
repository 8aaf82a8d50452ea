"""What runs took, and the medians of it as the README's table and as figures for JSON."""

from __future__ import annotations

from statistics import median

from msgspec import Struct


class Run(Struct):
    """What one run took: CPU seconds of its life, seconds until its last update, resident MB then (0: it had ended).

    `rate` is answers a second of wall time once it was started; `events` is how many the updates had counted;
    `verdict` compares with the ledger.
    """

    cpu: float
    wall: float
    rate: float
    mb: float
    events: int
    done: bool
    verdict: str


class Figures(Struct):
    """The runs of one contender: on warm-up answers only, and by number of touchpoints; p50 and p99 lag."""

    peer: str
    form: str
    starts: list[Run] = []
    runs: dict[int, list[Run]] = {}
    lag_ms: tuple[float, float] | None = None

    def seconds_per_event(self, touchpoints: int) -> float:
        """CPU seconds an event beyond the start."""
        runs = self.runs[touchpoints]
        beyond = median(run.cpu for run in runs) - median(run.cpu for run in self.starts)
        return max(0.0, beyond) / max(1, median(run.events for run in runs))

    def rate(self, touchpoints: int) -> float:
        """Answers a second of wall time; 0 if updates came all at once."""
        return median(run.rate for run in self.runs[touchpoints])

    def mb(self, touchpoints: int) -> float:
        """Resident MB at the end."""
        return median(run.mb for run in self.runs[touchpoints])

    def verdict(self) -> str:
        """'exact' if every run was."""
        return "exact" if all(r.verdict == "exact" for rs in self.runs.values() for r in rs) else "not exact"


def table(rows: list[Figures]) -> str:
    """Markdown."""
    heads = (
        "what",
        "form",
        "events/s and core",
        "events/s wall",
        "us an event at touchpoints",
        "resident MB",
    )
    lines = [_line((*heads, "p50 / p99 lag", "counts")), _line(("---",) * 8)]
    return "\n".join(lines + [_line(_cells(row)) for row in rows if row.runs])


def _cells(row: Figures) -> tuple[str, ...]:
    first = min(row.runs)
    cut = any(not run.done for runs in row.runs.values() for run in runs)
    costs = ", ".join(f"{_count(n)}: {_cost(row, n)}" for n in sorted(row.runs))
    memory = ", ".join(
        f"{_count(n)}: {row.mb(n):.0f}" if row.mb(n) else f"{_count(n)}: ?" for n in sorted(row.runs)
    )
    lag = f"{row.lag_ms[0]:,.0f} / {row.lag_ms[1]:,.0f} ms" if row.lag_ms else "-"
    per_core, wall = row.seconds_per_event(first), row.rate(first)
    rates = (f"{1 / per_core:,.0f}" if per_core else "?", f"{wall:,.0f}" if wall else "?")
    return (row.peer, row.form, *rates, costs, memory, lag, "incomplete" if cut else row.verdict())


def _cost(row: Figures, touchpoints: int) -> str:
    cost = f"{1e6 * row.seconds_per_event(touchpoints):,.1f}"
    cut = next((run for run in row.runs[touchpoints] if not run.done), None)
    if cut is None:
        return cost
    how = "cut off" if cut.mb else "ended by itself"
    return f"{cost} ({how} after {cut.wall:.0f} s and {cut.events:,} events)"


def _count(touchpoints: int) -> str:
    return f"{touchpoints // 1000}k" if touchpoints >= 1000 else str(touchpoints)


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def flat(figures: dict[str, Figures]) -> dict[str, float]:
    """The same figures by name."""
    found: dict[str, float] = {}
    for name, row in figures.items():
        for touchpoints in sorted(row.runs):
            prefix = f"peers_{name}_{_count(touchpoints)}"
            found[f"{prefix}_us_per_event"] = 1e6 * row.seconds_per_event(touchpoints)
            found[f"{prefix}_events_per_second_wall"] = row.rate(touchpoints)
            found[f"{prefix}_resident_mb"] = row.mb(touchpoints)
            found[f"{prefix}_exact"] = float(row.verdict() == "exact")
            found[f"{prefix}_done"] = float(all(run.done for run in row.runs[touchpoints]))
        if row.lag_ms:
            found[f"peers_{name}_lag_p50_ms"], found[f"peers_{name}_lag_p99_ms"] = row.lag_ms
    return found
