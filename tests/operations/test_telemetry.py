"""Telemetry: what is declared can be counted, and nothing else."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest

from schemas import metrics
from schemas.metrics import METRICS, Metric
from services.operations.telemetry import Telemetry

SERVICES = {"ingest", "windows", "customers", "sink", "alerts"}


def shown(telemetry: Telemetry) -> list[str]:
    """The samples at /metrics."""
    return [line for line in generate_latest(telemetry.registry).decode().splitlines() if line[0] != "#"]


def test_a_metric_that_is_not_declared_cannot_be_counted() -> None:
    undeclared = Metric("aftertouch_ingest_surprises_total", "counter", "ingest", "?")

    with pytest.raises(KeyError, match="surprises"):
        Telemetry("ingest").count(undeclared)


def test_a_metric_of_another_service_cannot_be_counted() -> None:
    with pytest.raises(KeyError, match="aftertouch_sink_retries_total"):
        Telemetry("ingest").count(metrics.SINK_RETRIES)


def test_a_metric_is_used_as_the_kind_it_is() -> None:
    telemetry = Telemetry("sink")

    with pytest.raises(AssertionError):
        telemetry.count(metrics.SINK_PENDING)
    with pytest.raises(AssertionError):
        telemetry.level(metrics.SINK_RETRIES, 1)
    with pytest.raises(AssertionError):
        telemetry.timed(metrics.SINK_PENDING, 1)


def test_a_metric_has_the_labels_it_was_declared_with() -> None:
    with pytest.raises(ValueError, match="label"):
        Telemetry("sink").count(metrics.SINK_ROWS)


def test_counters_add_up() -> None:
    telemetry = Telemetry("sink")
    telemetry.count(metrics.SINK_ROWS, "events", by=2)
    telemetry.count(metrics.SINK_ROWS, "events")
    telemetry.count(metrics.SINK_RETRIES)

    assert 'aftertouch_sink_rows_total{table="events"} 3.0' in shown(telemetry)
    assert "aftertouch_sink_retries_total 1.0" in shown(telemetry)


def test_gauges_have_their_last_value() -> None:
    telemetry = Telemetry("windows")
    telemetry.level(metrics.WINDOWS_LAG, 7, "3")
    telemetry.level(metrics.WINDOWS_LAG, 5, "3")
    telemetry.level(metrics.WINDOWS_KEYS, 2)

    assert 'aftertouch_windows_lag_records{partition="3"} 5.0' in shown(telemetry)
    assert "aftertouch_windows_touchpoints 2.0" in shown(telemetry)


def test_histograms_have_buckets_around_their_values() -> None:
    telemetry = Telemetry("windows")
    telemetry.timed(metrics.WINDOWS_FLUSH_SECONDS, 0.03)

    lines = shown(telemetry)
    assert 'aftertouch_windows_flush_seconds_bucket{le="0.025"} 0.0' in lines
    assert 'aftertouch_windows_flush_seconds_bucket{le="0.05"} 1.0' in lines
    assert "aftertouch_windows_flush_seconds_count 1.0" in lines


def test_sizes_have_buckets_of_their_own() -> None:
    telemetry = Telemetry("windows")
    telemetry.sized(metrics.WINDOWS_FLUSH_RECORDS, 500)

    lines = shown(telemetry)
    assert 'aftertouch_windows_flush_records_bucket{le="100.0"} 0.0' in lines
    assert 'aftertouch_windows_flush_records_bucket{le="1000.0"} 1.0' in lines
    with pytest.raises(AssertionError):
        telemetry.timed(metrics.WINDOWS_FLUSH_RECORDS, 1)


def test_registries_are_apart() -> None:
    one, other = Telemetry("sink"), Telemetry("sink")
    one.count(metrics.SINK_RETRIES)

    assert "aftertouch_sink_retries_total 0.0" in shown(other)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_the_conventions_of_prometheus(metric: Metric) -> None:
    assert metric.service in SERVICES
    assert metric.name.startswith(f"aftertouch_{metric.service}_")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.kind != "histogram" or metric.name.endswith(("_seconds", "_records"))
    assert len(metric.help) > 10


def test_names_are_unique() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS) > 10
