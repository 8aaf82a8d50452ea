"""What the workers show of themselves at /metrics while answers pass through."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.test_answer_to_alert import touchpoint
from tests.stack import Stack, request, wait_for


def samples(stack: Stack, part: str) -> dict[str, float]:
    """Values by name, with the label's value after a blank where there is one."""
    status, text = request("GET", f"{stack.url(part)}/metrics")
    assert status == 200
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_the_windows_worker_shows_how_large_its_flushes_and_how_old_its_answers_are(stack: Stack) -> None:
    flushed = "aftertouch_windows_flush_records_sum"
    before = samples(stack, "windows")[flushed]
    stack.post([{"touchpoint": touchpoint("metrics"), "metric": "csat", "score": 4}] * 20)

    wait_for(lambda: samples(stack, "windows")[flushed] >= before + 20, 10, "the flush is shown")
    delay = "aftertouch_windows_watermark_delay_seconds"
    wait_for(lambda: 0 < samples(stack, "windows")[delay] < 60, 10, "the delay is shown")


def test_the_sink_shows_how_far_behind_it_is_by_topic(stack: Stack) -> None:
    rows = "aftertouch_sink_rows_total events"
    before = samples(stack, "sink").get(rows, 0)
    stack.post([{"touchpoint": touchpoint("metrics"), "metric": "csat", "score": 4}] * 20)

    wait_for(lambda: samples(stack, "sink").get(rows, 0) >= before + 20, 10, "the rows are in ClickHouse")
    lag = "aftertouch_sink_lag_records feedback.events"
    wait_for(lambda: samples(stack, "sink").get(lag) == 0, 10, "nothing is behind")
