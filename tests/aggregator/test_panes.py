"""Panes: where an answer is counted, how long a pane is kept in memory, and when nothing can reach it any more."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.scores import RESOLUTION_SECONDS, WINDOWS, Pane, WindowShape
from services.aggregator.counts import UNITS
from services.aggregator.panes import (
    COLD_AFTER,
    PaneId,
    Panes,
    SeriesId,
    fills_minutes,
    pane_start,
    row,
    segment_of,
)

SERIES = SeriesId("default", "web", "csat")
NOON = int(datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp())
moments = st.floats(946_684_800, 4_102_444_800)


@given(moments)
def test_a_pane_begins_at_or_before_each_of_its_answers(moment: float) -> None:
    minute, hour = pane_start("1m", moment), pane_start("1h", moment)

    assert minute % 60 == hour % 3600 == 0
    assert minute <= moment < minute + 60
    assert hour <= minute <= hour + 3540


def test_the_first_moment_of_a_minute_belongs_to_it() -> None:
    assert [pane_start("1m", NOON + s) - NOON for s in (-0.001, 0, 59.999, 60)] == [-60, 0, 0, 60]


def test_history_older_than_minutes_are_kept_fills_hours_only() -> None:
    assert [fills_minutes(age) for age in (0, 35 * 86_400, 35 * 86_400 + 1)] == [True, True, False]


def test_a_minute_is_hot_for_25_hours_and_an_hour_for_8_days_after_its_end() -> None:
    minute_end, hour_end = 60, 3600

    assert COLD_AFTER["1m"] == minute_end + 25 * 3600
    assert COLD_AFTER["1h"] == hour_end + 8 * 86_400


@given(moments, st.sampled_from(list(WINDOWS.values())))
def test_no_pane_inside_a_window_is_cold(now: float, window: WindowShape) -> None:
    oldest_inside = (
        pane_start(window.resolution, now - window.seconds) + RESOLUTION_SECONDS[window.resolution]
    )

    assert now - oldest_inside < COLD_AFTER[window.resolution]


def test_segments_are_stretches_of_4096_source_offsets_from_1_on() -> None:
    assert [segment_of(offset) for offset in (0, 4095, 4096, 8191, 8192)] == [1, 1, 2, 2, 3]


def test_panes_are_forgotten_as_soon_as_they_are_cold() -> None:
    panes = Panes("1m")
    for start in (NOON + 60, NOON, NOON + 120):
        panes.add(start, UNITS[5])
    cold = NOON + COLD_AFTER["1m"]

    assert [panes.forget(cold + after) for after in (-0.5, 0.0, 60.5)] == [[], [NOON], [NOON + 60]]
    assert (panes.counts, panes.oldest) == ({NOON + 120: UNITS[5]}, NOON + 120)


def test_changes_are_what_was_added_since_they_were_taken() -> None:
    panes = Panes("1h")
    panes.add(NOON, UNITS[5] + UNITS[2])
    assert panes.take_changes() == [(NOON, UNITS[5] + UNITS[2])]

    panes.add(NOON, -UNITS[2])
    panes.add(NOON, UNITS[3])

    assert panes.take_changes() == [(NOON, UNITS[3] - UNITS[2])]
    assert panes.take_changes() == []


def test_a_row_has_absolute_counts_and_the_version_that_orders_them() -> None:
    pane = PaneId(SERIES, "1h", NOON, 0)

    assert row(pane, UNITS[5] + UNITS[2], version=44, partition=4) == Pane(
        workspace="default",
        touchpoint="web",
        metric="csat",
        pane_start=NOON,
        src_partition=4,
        segment=0,
        n=2,
        sum=7,
        sum_sq=29,
        top=1,
        bottom=1,
        hist=[0, 0, 1, 0, 0, 1],
        version=44,
    )
