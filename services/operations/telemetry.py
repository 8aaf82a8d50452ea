"""Turns the metrics declared in schemas.metrics into Prometheus objects: what is not declared cannot be counted."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.metrics import METRICS, Metric, is_duration

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 10, 100, 1_000, 10_000, 100_000)


class Telemetry:
    """The metrics of one service in a registry of their own."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self._declared = {m.name: self._make(m) for m in METRICS if m.service == service}

    def _make(self, metric: Metric) -> Counter | Gauge | Histogram:
        if metric.kind == "counter":
            return Counter(metric.name, metric.help, metric.labels, registry=self.registry)
        if metric.kind == "gauge":
            return Gauge(metric.name, metric.help, metric.labels, registry=self.registry)
        buckets = SECONDS if is_duration(metric) else SIZES
        return Histogram(metric.name, metric.help, metric.labels, registry=self.registry, buckets=buckets)

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        counter = self._declared[metric.name]
        assert isinstance(counter, Counter)
        (counter.labels(*labels) if labels else counter).inc(by)

    def level(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        gauge = self._declared[metric.name]
        assert isinstance(gauge, Gauge)
        (gauge.labels(*labels) if labels else gauge).set(value)

    def timed(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Put a duration into a histogram."""
        assert is_duration(metric)
        self._observe(metric, seconds, labels)

    def sized(self, metric: Metric, size: int, *labels: str) -> None:
        """Put a size into a histogram."""
        assert not is_duration(metric)
        self._observe(metric, size, labels)

    def _observe(self, metric: Metric, value: float, labels: tuple[str, ...]) -> None:
        histogram = self._declared[metric.name]
        assert isinstance(histogram, Histogram)
        (histogram.labels(*labels) if labels else histogram).observe(value)
