"""Bytewax, the idiomatic form: fold_window over its own sliding windows of 5 min, 1 h and 24 h at one-minute hops.

That is 5 + 60 + 1,440 windows an answer. A window is told only when it closes, so this one reads to the end
of the topic and stops, which closes all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import bytewax.operators as op
import bytewax.operators.windowing as win
import orjson
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow

from tests.bench.peers.flows.bytewax_panes import keyed
from tests.bench.peers.flows.panes import EVENTS, WINDOW_MINUTES, is_good, setting

Counts = tuple[int, int]
MIDNIGHT = datetime(2024, 1, 1, tzinfo=UTC)


def occurred(answer: dict[str, Any]) -> datetime:
    """Event time."""
    return datetime.fromisoformat(answer["occurred_at"])


def add(counts: Counts, answer: dict[str, Any]) -> Counts:
    """One more answer."""
    return counts[0] + 1, counts[1] + is_good(answer)


def merge(one: Counts, other: Counts) -> Counts:
    """Two windows as one."""
    return one[0] + other[0], one[1] + other[1]


def message(name: str, item: tuple[str, tuple[int, Counts]]) -> KafkaSinkMessage[bytes, bytes]:
    """A closed window as it is sent."""
    (touchpoint, metric), (n, good) = item[0].split("/"), item[1][1]
    body = {"touchpoint": touchpoint, "metric": metric, "window": name, "n": n, "score": 100 * good / n}
    return KafkaSinkMessage(item[0].encode(), orjson.dumps(body))


brokers = [setting("BOOTSTRAP")]
flow = Dataflow("sliding")
answers = op.map("keyed", op.input("events", flow, KafkaSource(brokers, [EVENTS], tail=False)), keyed)
clock = win.EventClock(occurred, wait_for_system_duration=timedelta(minutes=1))
for name, minutes in WINDOW_MINUTES.items():
    windower = win.SlidingWindower(
        length=timedelta(minutes=minutes), offset=timedelta(minutes=1), align_to=MIDNIGHT
    )
    windows = win.fold_window(f"windows_{name}", answers, clock, windower, lambda: (0, 0), add, merge)
    messages = op.map(f"message_{name}", windows.down, partial(message, name))
    kop.output(f"updates_{name}", messages, brokers=brokers, topic=setting("OUTPUT"))
