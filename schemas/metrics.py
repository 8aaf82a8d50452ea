"""Every metric the services show at /metrics, declared before it can be used."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["counter", "gauge", "histogram"]


class Metric(Struct, frozen=True):
    """A metric: units are seconds, bytes or plain counts, as the name says."""

    name: str
    kind: Kind
    service: str
    help: str
    labels: tuple[str, ...] = ()


def is_duration(metric: Metric) -> bool:
    """Whether a histogram is one of seconds; the others are of sizes."""
    return metric.name.endswith("_seconds")


INGEST_EVENTS = Metric(
    "aftertouch_ingest_events_total",
    "counter",
    "ingest",
    "Posted events by result: 'accepted' or the reason word",
    ("result",),
)
INGEST_SECONDS = Metric(
    "aftertouch_ingest_request_seconds",
    "histogram",
    "ingest",
    "Time from the first byte of a request to its answer",
    ("status",),
)
WINDOWS_EVENTS = Metric(
    "aftertouch_windows_events_total",
    "counter",
    "windows",
    "Events read by outcome: 'counted', 'duplicate', 'replayed' or the reason word",
    ("outcome",),
)
WINDOWS_FLUSH_SECONDS = Metric(
    "aftertouch_windows_flush_seconds",
    "histogram",
    "windows",
    "Time to make one flush durable: outputs, state, commit",
)
WINDOWS_FLUSH_RECORDS = Metric(
    "aftertouch_windows_flush_records",
    "histogram",
    "windows",
    "Messages of feedback.events that one flush has made durable",
)
WINDOWS_LAG = Metric(
    "aftertouch_windows_lag_records", "gauge", "windows", "Records not yet committed", ("partition",)
)
WINDOWS_WATERMARK_DELAY = Metric(
    "aftertouch_windows_watermark_delay_seconds",
    "gauge",
    "windows",
    "Time since the newest answer that is folded had arrived; grows while nobody answers, too",
)
WINDOWS_KEYS = Metric(
    "aftertouch_windows_touchpoints", "gauge", "windows", "Touchpoints and metrics held in memory"
)
WINDOWS_SIGNALS = Metric(
    "aftertouch_windows_signals_total", "counter", "windows", "Signals published by kind", ("kind",)
)
CUSTOMERS_ANSWERS = Metric(
    "aftertouch_customers_answers_total",
    "counter",
    "customers",
    "Answers of named customers by outcome: 'changed', 'passed', 'repeated', 'replayed' or 'unreadable'",
    ("outcome",),
)
CUSTOMERS_SIGNALS = Metric(
    "aftertouch_customers_signals_total", "counter", "customers", "Signals published by kind", ("kind",)
)
CUSTOMERS_KEPT = Metric(
    "aftertouch_customers_remembered", "gauge", "customers", "Customers with a bad contact held in memory"
)
CUSTOMERS_FLUSH_SECONDS = Metric(
    "aftertouch_customers_flush_seconds",
    "histogram",
    "customers",
    "Time to make one flush durable: signals, state, commit",
)
CUSTOMERS_LAG = Metric(
    "aftertouch_customers_lag_records", "gauge", "customers", "Records not yet committed", ("partition",)
)
WINDOWS_RULES_REFUSED = Metric(
    "aftertouch_windows_rules_refused",
    "gauge",
    "windows",
    "1 while the file of rules cannot be used and the rules before it count",
)
SINK_ROWS = Metric(
    "aftertouch_sink_rows_total", "counter", "sink", "Rows that ClickHouse has acknowledged", ("table",)
)
SINK_INSERT_SECONDS = Metric(
    "aftertouch_sink_insert_seconds", "histogram", "sink", "Time of one INSERT, retries included", ("table",)
)
SINK_RETRIES = Metric(
    "aftertouch_sink_retries_total",
    "counter",
    "sink",
    "INSERTs that ClickHouse did not take and were repeated",
)
SINK_PENDING = Metric(
    "aftertouch_sink_pending_rows", "gauge", "sink", "Rows read from Kafka and not yet in ClickHouse"
)
SINK_LAG = Metric(
    "aftertouch_sink_lag_records", "gauge", "sink", "Records of a topic not yet in ClickHouse", ("topic",)
)
ALERTS_OPEN = Metric("aftertouch_alerts_open", "gauge", "alerts", "Alerts that are not resolved")
ALERTS_SIGNALS = Metric(
    "aftertouch_alerts_signals_total",
    "counter",
    "alerts",
    "Signals by what became of them: 'opened', 'resolved', 'repeated', 'unmatched', 'unreadable'",
    ("result",),
)
ALERTS_DELIVERIES = Metric(
    "aftertouch_alerts_deliveries_total", "counter", "alerts", "Webhook calls by verdict", ("outcome",)
)
ALERTS_DELAY_SECONDS = Metric(
    "aftertouch_alerts_answer_to_delivery_seconds",
    "histogram",
    "alerts",
    "Time from an answer's arrival to its alert's delivery",
)

METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
