"""Pathway, the idiomatic form: windowby over its own sliding windows of 5 min, 1 h and 24 h at one-minute hops.

That puts an answer into 5 + 60 + 1,440 windows, all of which are kept and told.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import pathway as pw

from tests.bench.peers.flows.panes import WINDOW_MINUTES
from tests.bench.peers.flows.pathway_panes import answers, emit


def sliding(source: pw.Table, name: str, minutes: int) -> pw.Table:
    """Counts of the windows of one length."""
    window = pw.temporal.sliding(hop=timedelta(minutes=1), duration=timedelta(minutes=minutes))
    keyed = source.with_columns(key=pw.this.touchpoint + "/" + pw.this.metric)
    counts = keyed.windowby(keyed.at, window=window, instance=keyed.key).reduce(
        key=pw.this._pw_instance,
        touchpoint=pw.reducers.any(pw.this.touchpoint),
        metric=pw.reducers.any(pw.this.metric),
        n=pw.reducers.count(),
        good=pw.reducers.sum(pw.this.good),
    )
    return counts.select(
        counts.key,
        counts.touchpoint,
        counts.metric,
        window=name,
        n=counts.n,
        score=100 * counts.good / counts.n,
    )


if __name__ == "__main__":
    source = answers()
    emit(pw.Table.concat_reindex(*(sliding(source, name, m) for name, m in WINDOW_MINUTES.items())))
    sys.exit()
