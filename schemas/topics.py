"""Every Kafka topic is a row of this table: provisioning, services, docs and tests read it here."""

from __future__ import annotations

from msgspec import Struct

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Topic(Struct, frozen=True):
    """A topic: what its messages are, how they are keyed, who writes and who reads them.

    `config` holds Kafka's own names. Values are JSON unless `message` says otherwise.
    """

    name: str
    partitions: int
    message: str
    key: str
    writers: str
    readers: str
    config: dict[str, str]


def _kept(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}


def _compacted(lag_hours: int = 0) -> dict[str, str]:
    return {"cleanup.policy": "compact", "min.compaction.lag.ms": str(lag_hours * HOUR_MS)}


PARTITIONS = 12
"""Partitions of feedback.events and of the topics that follow it partition by partition."""

EVENTS = Topic(
    "feedback.events",
    PARTITIONS,
    "feedback.Event",
    "workspace/touchpoint",
    "ingest",
    "windows, sink",
    _kept(7),
)
PANES = Topic(
    "feedback.panes",
    PARTITIONS,
    "scores.Pane",
    "resolution/workspace/touchpoint/metric",
    "windows",
    "sink",
    _kept(7),
)
REPLACED = Topic(
    "feedback.replaced",
    PARTITIONS,
    "feedback.Replaced",
    "workspace/touchpoint",
    "windows",
    "sink",
    _kept(7),
)
SCORES = Topic(
    "feedback.scores",
    PARTITIONS,
    "scores.ScoreUpdate",
    "workspace/touchpoint/metric",
    "windows",
    "console",
    _compacted(),
)
CUSTOMERS = Topic(
    "feedback.customers",
    PARTITIONS,
    "customers.CustomerAnswer",
    "workspace/customer_id",
    "windows",
    "customers",
    _kept(7),
)
SIGNALS = Topic(
    "feedback.signals",
    PARTITIONS,
    "signals.Signal",
    "workspace/touchpoint",
    "windows, customers",
    "alerts",
    _kept(7),
)
STATE = Topic(
    "feedback.state",
    PARTITIONS,
    "aggregator state (MessagePack, internal)",
    "kind/…",
    "windows",
    "windows",
    _compacted(lag_hours=6),
)
CUSTOMER_STATE = Topic(
    "feedback.customer-state",
    PARTITIONS,
    "aggregator state (MessagePack, internal)",
    "kind/…",
    "customers",
    "customers",
    _compacted(lag_hours=6),
)
ALERTS = Topic(
    "feedback.alerts", 1, "alerts.Alert", "workspace/alert_id", "alerts", "alerts, sink", _compacted()
)
REJECTED = Topic(
    "feedback.rejected",
    PARTITIONS,
    "rejections.DeadLetter",
    "topic/partition/offset",
    "windows, sink, replay-rejected",
    "sink",
    _kept(7),
)

TOPICS: tuple[Topic, ...] = (
    EVENTS,
    PANES,
    REPLACED,
    SCORES,
    CUSTOMERS,
    SIGNALS,
    STATE,
    CUSTOMER_STATE,
    ALERTS,
    REJECTED,
)
