"""What the floors do with a message: decode it as the windows worker does and count it in a dict, no more."""

from __future__ import annotations

import json
import os
import time

from schemas.feedback import Event, decode
from schemas.scoring import SCALES, Metric
from tests.bench.processes import resident_mb

Histograms = dict[tuple[str, Metric, int], list[int]]
"""Answers by score of a touchpoint, metric and minute since 1970."""


class Pace:
    """Messages a second of wall time, counted from the first batch on: the start is not in it."""

    def __init__(self) -> None:
        self._began = self._last = 0.0
        self._messages = 0

    def step(self, messages: int) -> None:
        """So many more were counted."""
        self._last = time.perf_counter()
        if self._began:
            self._messages += messages
        elif messages:
            self._began = self._last

    def rate(self) -> float:
        """0 if all came at once."""
        return self._messages / (self._last - self._began) if self._messages else 0.0


def count(histograms: Histograms, value: bytes | None) -> None:
    """Take in one message."""
    event = decode(value)
    assert isinstance(event, Event)
    key = event.touchpoint, event.metric, int(event.occurred_at.timestamp()) // 60
    histogram = histograms.get(key)
    if histogram is None:
        histogram = histograms[key] = [0] * 11
    histogram[event.score] += 1


def report(histograms: Histograms, pace: Pace) -> None:
    """Print, as JSON, the pace, resident MB and, for each touchpoint/metric, answers and the share of good ones."""
    resident = resident_mb(os.getpid())
    totals: dict[str, list[int]] = {}
    for (touchpoint, metric, _), histogram in histograms.items():
        total = totals.setdefault(f"{touchpoint}/{metric}", [0, 0])
        total[0] += sum(histogram)
        total[1] += sum(histogram[SCALES[metric].top_from :])
    counts = {key: [n, 100 * good / n] for key, (n, good) in totals.items()}
    print(json.dumps({"rate": pace.rate(), "resident_mb": resident, "counts": counts}))
