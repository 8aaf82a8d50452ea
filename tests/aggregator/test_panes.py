"""Panes: where an answer is counted, how long a pane is kept in memory, and when nothing can reach it any more."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.scores import RESOLUTION_SECONDS, WINDOWS, Pane, WindowShape
from schemas.scoring import Tally
from services.aggregator.panes import (
    LivePane,
    PaneId,
    PaneState,
    SeriesId,
    is_cold,
    is_out_of_reach,
    pane_start,
    resolutions_of,
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
    assert resolutions_of(0) == ("1m", "1h")
    assert resolutions_of(35 * 86_400) == ("1m", "1h")
    assert resolutions_of(35 * 86_400 + 1) == ("1h",)


def test_a_minute_is_hot_for_25_hours_and_an_hour_for_8_days_after_its_end() -> None:
    minute_end, hour_end = NOON + 60, NOON + 3600

    assert [is_cold("1m", NOON, minute_end + 25 * 3600 + s) for s in (-1, 0)] == [False, True]
    assert [is_cold("1h", NOON, hour_end + 8 * 86_400 + s) for s in (-1, 0)] == [False, True]


@given(moments, st.sampled_from(list(WINDOWS.values())))
def test_no_pane_inside_a_window_is_cold(now: float, window: WindowShape) -> None:
    oldest_inside = (
        pane_start(window.resolution, now - window.seconds) + RESOLUTION_SECONDS[window.resolution]
    )

    assert not is_cold(window.resolution, oldest_inside, now)


def test_segments_are_stretches_of_4096_source_offsets_from_1_on() -> None:
    assert [segment_of(offset) for offset in (0, 4095, 4096, 8191, 8192)] == [1, 1, 2, 2, 3]


def test_a_pane_in_memory_is_out_of_reach_when_it_is_cold() -> None:
    pane = PaneId(SERIES, "1m", NOON, 0)

    assert not is_out_of_reach(pane, NOON + 60, committed=10**9)
    assert is_out_of_reach(pane, NOON + 60 + 25 * 3600, committed=0)


def test_a_segment_is_out_of_reach_when_the_next_one_is_committed() -> None:
    pane = PaneId(SERIES, "1m", NOON, segment_of(5000))

    reached = [is_out_of_reach(pane, 10**10, committed) for committed in (0, 5001, 8191, 8192)]

    assert reached == [False, False, False, True]


def test_a_row_has_absolute_counts_and_the_version_that_orders_them() -> None:
    pane = LivePane(PaneId(SERIES, "1h", NOON, 0))
    pane.state = PaneState(44, Tally())
    pane.state.tally.add("csat", 5)
    pane.state.tally.add("csat", 2)

    assert row(pane.id, pane.state, partition=4) == Pane(
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
