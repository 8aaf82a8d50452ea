"""Says what a backtest found: one row for each drop, what was counted, and how that compares with the budget."""

from __future__ import annotations

from datetime import datetime

from rich.table import Table

from schemas.backtest import Summary
from schemas.rules import Rules
from schemas.signals import Signal

COLUMNS = (
    "touchpoint",
    "metric",
    "since",
    "noticed",
    "from",
    "to",
    "90 % interval",
    "answers",
    "evidence",
    "over",
)


def alerts_table(signals: list[Signal]) -> Table:
    """The drops in the order in which they would have been noticed; times are UTC."""
    table = Table(*COLUMNS, title="Alerts these rules would have raised", title_justify="left")
    over = {signal.incident: signal.at for signal in signals if signal.kind == "drop_over"}
    for signal in signals:
        if signal.kind == "drop":
            table.add_row(*_cells(signal, over.get(signal.incident)))
    return table


def _cells(signal: Signal, over: datetime | None) -> tuple[str, ...]:
    drop = signal.drop
    assert drop is not None
    return (
        signal.touchpoint,
        signal.metric,
        _minute(drop.began),
        _minute(signal.at),
        f"{drop.baseline:.1f}",
        f"{drop.level:.1f}",
        f"{drop.low:.1f} to {drop.high:.1f}",
        str(drop.n),
        f"{drop.evidence_months:.3g} months",
        _minute(over) if over else "still open",
    )


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


def summary_table(summary: Summary, left_out: int) -> Table:
    """What was counted; `left_out` rows of a file could not be read."""
    table = Table("", "", title="Counted", title_justify="left", show_header=False)
    table.columns[1].justify = "right"
    rows = {
        "answers that may alarm": summary.answers,
        "answers that only teach": summary.taught,
        "repeated or conflicting": summary.repeated,
        "not readable": summary.refused + left_out,
        "touchpoints and metrics": summary.series,
        "of these past their warm-up": summary.watched,
        "bad contacts": summary.bad_contacts,
        "drops": summary.drops,
    }
    for name, count in rows.items():
        if count or name in ("drops", "bad contacts", "of these past their warm-up"):
            table.add_row(name, f"{count:,}")
    return table


def conclusion(rules: Rules, summary: Summary) -> str:
    """The drops beside what the budget allows."""
    months = summary.watched_months
    rate = summary.drops / months if months else 0.0
    fleet = rules.drops.false_alarms_per_day
    stated = f" ({fleet:g} a day for all together)" if fleet else ""
    return (
        f"Drops: {summary.drops:,} in {months:,.1f} months of watched touchpoints, {rate:.3f} a month and touchpoint. "
        f"Were nothing ever wrong, these rules would raise at most about {summary.false_alarms:,.1f}{stated}."
    )
