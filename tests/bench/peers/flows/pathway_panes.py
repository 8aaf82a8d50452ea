"""Pathway, the fairest form: minute panes by groupby, joined with each key's newest minute and summed over windows.

Its sliding windows would put an answer into 1,505 windows (see pathway_sliding). Persistence is on, as its
documentation asks for at-least-once; updates come every 200 ms, as often as the others can.
"""

from __future__ import annotations

import sys

import pathway as pw

from tests.bench.peers.flows.panes import EVENTS, GOOD_FROM, WINDOW_MINUTES, setting

COMMIT_MS = 200


class Answer(pw.Schema):  # type: ignore[misc]  # Pathway is not installed where types are checked
    """The fields of an event that are needed."""

    touchpoint: str
    metric: str
    score: int
    occurred_at: str


def answers() -> pw.Table:
    """The topic's answers, each with its minute and whether it is good."""
    settings = {
        "bootstrap.servers": setting("BOOTSTRAP"),
        "group.id": setting("OUTPUT"),
        "auto.offset.reset": "earliest",
    }
    read = pw.io.kafka.read(
        settings, topic=EVENTS, format="json", schema=Answer, autocommit_duration_ms=COMMIT_MS, name="events"
    )
    with_time = read.with_columns(at=pw.this.occurred_at.dt.strptime("%Y-%m-%dT%H:%M:%S%.fZ"))
    needed = pw.if_else(pw.this.metric == "csat", GOOD_FROM["csat"], GOOD_FROM["ces"])
    return with_time.select(
        pw.this.touchpoint,
        pw.this.metric,
        at=pw.this.at,
        minute=pw.this.at.dt.timestamp(unit="s").num.fill_na(0.0) // 60,
        good=pw.if_else(pw.this.score >= needed, 1, 0),
    )


def rolling(source: pw.Table) -> pw.Table:
    """Counts and shares of each touchpoint and metric."""
    panes = source.groupby(pw.this.touchpoint, pw.this.metric, pw.this.minute).reduce(
        pw.this.touchpoint,
        pw.this.metric,
        pw.this.minute,
        n=pw.reducers.count(),
        good=pw.reducers.sum(pw.this.good),
    )
    newest = panes.groupby(pw.this.touchpoint, pw.this.metric).reduce(
        pw.this.touchpoint, pw.this.metric, now=pw.reducers.max(pw.this.minute)
    )
    joined = panes.join(
        newest, panes.touchpoint == newest.touchpoint, panes.metric == newest.metric, id=panes.id
    )
    aged = joined.select(panes.touchpoint, panes.metric, panes.n, panes.good, age=newest.now - panes.minute)
    sums = {}
    for window, minutes in WINDOW_MINUTES.items():
        inside = aged.age < minutes
        sums[f"n_{window}"] = pw.reducers.sum(pw.if_else(inside, aged.n, 0))
        sums[f"good_{window}"] = pw.reducers.sum(pw.if_else(inside, aged.good, 0))
    counts = aged.groupby(aged.touchpoint, aged.metric).reduce(aged.touchpoint, aged.metric, **sums)
    columns = {f"n_{window}": counts[f"n_{window}"] for window in WINDOW_MINUTES}
    for window in WINDOW_MINUTES:
        columns[f"score_{window}"] = 100 * counts[f"good_{window}"] / counts[f"n_{window}"]
    return counts.select(
        counts.touchpoint, counts.metric, key=counts.touchpoint + "/" + counts.metric, **columns
    )


def emit(updates: pw.Table) -> None:
    """Send the updates and run until told to stop."""
    settings = {"bootstrap.servers": setting("BOOTSTRAP")}
    pw.io.kafka.write(updates, settings, setting("OUTPUT"), format="json", key=updates.key)
    store = pw.persistence.Config(pw.persistence.Backend.filesystem(setting("STATE")))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=store)


if __name__ == "__main__":
    emit(rolling(answers()))
    sys.exit()
