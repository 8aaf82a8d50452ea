"""Bytewax, the fairest form: minute panes and running totals in stateful_map, one update an answer.

Its windows tell their result only when they close, and a rolling one at one-minute hops is 1,505 windows an
answer (see bytewax_sliding). Run as `python -m bytewax.run` with a recovery store: that makes it at least once.
"""

from __future__ import annotations

from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow

from tests.bench.peers.flows.panes import EVENTS, State, counted, setting, update


def keyed(message: KafkaSourceMessage[bytes, bytes]) -> tuple[str, dict[str, Any]]:
    """An answer under its touchpoint and metric."""
    answer = orjson.loads(message.value)
    return f"{answer['touchpoint']}/{answer['metric']}", answer


def roll(state: State | None, answer: dict[str, Any]) -> tuple[State, dict[str, Any]]:
    """Count one answer."""
    now = counted(state, answer)
    return now, update(answer["touchpoint"], answer["metric"], now)


def message(item: tuple[str, dict[str, Any]]) -> KafkaSinkMessage[bytes, bytes]:
    """An update as it is sent."""
    return KafkaSinkMessage(item[0].encode(), orjson.dumps(item[1]))


brokers = [setting("BOOTSTRAP")]
flow = Dataflow("panes")
source = op.input("events", flow, KafkaSource(brokers, [EVENTS]))
updates = op.stateful_map("roll", op.map("keyed", source, keyed), roll)
kop.output("updates", op.map("message", updates, message), brokers=brokers, topic=setting("OUTPUT"))
