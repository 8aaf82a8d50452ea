"""Windows against brute force: at every moment the totals equal a plain count over the panes inside."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.feedback import Event, decode
from schemas.scores import MINUTES_KEPT_SECONDS, WINDOWS, Resolution, ScoreUpdate, Window
from schemas.scoring import METRICS, SCALES, Metric, Score, score_of
from services.aggregator import records
from services.aggregator.baseline import ALONE, Policy
from services.aggregator.counts import UNITS
from services.aggregator.panes import SeriesId, pane_start
from services.aggregator.partition import Partition
from services.aggregator.rolling import rolling_over
from services.aggregator.series import Series
from tests.aggregator.history import standing, stream

T0 = 1_772_366_430
SERIES = SeriesId("default", "web", "csat")
DAY = 86_400
SILENCES = (0, 1, 29, 59, 60, 61, 240, 299, 301, 3600, 7 * 3600, DAY, 3 * DAY, 7 * DAY, 40 * DAY)
LATENESS = (0, 1, 60, 299, 300, 3599, 3601, 23 * 3600, DAY, 6 * DAY, 7 * DAY)


class Answer(NamedTuple):
    occurred: int
    score: int


class Windows:
    """The panes and windows of one series, fed as the partition feeds them, and every answer for the plain count."""

    def __init__(self) -> None:
        self.series = Series(SERIES, Policy(), ALONE)
        self.answers: list[Answer] = []
        self.now = T0

    def answer(self, late: int, score: int) -> None:
        occurred = self.now - late
        self.series.minutes.add(pane_start("1m", occurred), UNITS[score])
        self.series.settle()
        self.answers.append(Answer(occurred, score))

    def restore(self) -> None:
        """As a worker does that takes the series over."""
        self.series.rolling = rolling_over(self.series.minutes, self.series.hours)

    def ask(self) -> dict[Window, Score]:
        self.series.advance(self.now)
        return shown(self.series)

    def counted(self) -> dict[Window, Score]:
        return {window: plain_score("csat", self.answers, window, self.now) for window in WINDOWS}


def shown(series: Series) -> dict[Window, Score]:
    update = msgspec.json.encode(series.rolling.update(series.id, datetime.fromtimestamp(T0, UTC)))
    return msgspec.json.decode(update, type=ScoreUpdate).windows


def plain_score(metric: Metric, answers: list[Answer], window: Window, now: int) -> Score:
    """Over the answers in panes that start after `now` minus the window."""
    shape, scale = WINDOWS[window], SCALES[metric]
    inside = [a.score for a in answers if pane_start(shape.resolution, a.occurred) > now - shape.seconds]
    top, bottom = sum(s >= scale.top_from for s in inside), sum(s <= scale.bottom_to for s in inside)
    return score_of(metric, len(inside), sum(inside), sum(s * s for s in inside), top, bottom)


late_answers = st.tuples(st.sampled_from(LATENESS), st.integers(1, 5))
silences = st.sampled_from(SILENCES) | st.integers(0, 9 * DAY)
steps = st.one_of(late_answers, late_answers, silences, st.sampled_from(["ask", "restore"]))


@given(st.lists(steps, max_size=60))
def test_windows_equal_a_plain_count_over_the_panes_inside(
    history: list[tuple[int, int] | int | str],
) -> None:
    windows = Windows()
    for step in history:
        if isinstance(step, tuple):
            windows.answer(*step)
        elif isinstance(step, int):
            windows.now += step
        elif step == "restore":
            windows.restore()
        else:
            assert windows.ask() == windows.counted()
    assert windows.ask() == windows.counted()


@given(st.lists(st.tuples(silences, late_answers), max_size=30))
def test_asking_often_or_once_makes_no_difference(history: list[tuple[int, tuple[int, int]]]) -> None:
    often, once = Windows(), Windows()
    for silence, answer in history:
        for windows in (often, once):
            windows.now += silence
            windows.answer(*answer)
        often.ask()

    assert often.ask() == once.ask()


def test_a_pane_that_starts_exactly_a_window_ago_is_outside() -> None:
    windows = Windows()
    windows.now = T0 + 30
    windows.ask()
    windows.answer(300, 5)

    assert windows.now % 60 == 0
    assert (windows.ask()["5m"].n, windows.ask()["1h"].n) == (0, 1)


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    windows = Windows()
    windows.answer(0, 5)
    windows.now += 600
    after = windows.ask()
    windows.now -= 500

    assert windows.ask() == after


def test_advance_says_whether_a_window_has_changed() -> None:
    windows = Windows()
    windows.answer(0, 5)

    changes = [windows.series.advance(T0 + after) for after in (0, 269, 270, 271)]

    assert changes == [False, False, True, False], (
        "the minute of T0 began 30 s before, so 270 s later 5 min have passed"
    )


class Worker:
    """A partition whose state is kept as in feedback.state, so that another worker can take it over."""

    def __init__(self) -> None:
        self.partition = Partition(3, 0)
        self.kept: dict[bytes, bytes] = {}

    def take_over(self, now: int) -> None:
        self.partition.take_outputs()
        for record in records.state(self.partition):
            if record.value is None:
                self.kept.pop(record.key, None)
            else:
                self.kept[record.key] = record.value
        self.partition = Partition(3, self.partition.next)
        records.restore(self.partition, iter(self.kept.items()))
        self.partition.rebuild_windows(now)


@pytest.mark.parametrize("seed", range(6))
def test_the_windows_of_a_partition_equal_a_plain_count(seed: int) -> None:
    random, messages, worker = Random(seed), stream(seed, 800, days=10), Worker()
    for offset, message in enumerate(messages):
        worker.partition.apply(offset, message, 0.0)
        if random.random() < 0.02:
            now = int(worker.partition.newest_received) + random.choice(SILENCES[:8])
            if random.random() < 0.4:
                worker.take_over(now)
            worker.partition.advance(now)
            assert_windows_are_right(worker.partition, messages[: offset + 1], now)
            worker.partition.forget()


def assert_windows_are_right(partition: Partition, messages: list[bytes], now: int) -> None:
    events = standing([event for event in map(decode, messages) if isinstance(event, Event)])
    for series in partition.series.values():
        of_series = [event for event in events if (event.touchpoint, event.metric) == series.id[1:]]
        for window, score in shown(series).items():
            answers = [answer_of(event) for event in of_series if fills(event, WINDOWS[window].resolution)]
            assert score == plain_score(series.id.metric, answers, window, now), (series.id, window)


def answer_of(event: Event) -> Answer:
    return Answer(int(event.occurred_at.timestamp()), event.score)


def fills(event: Event, resolution: Resolution) -> bool:
    age = (event.received_at - event.occurred_at).total_seconds()
    return resolution == "1h" or age <= MINUTES_KEPT_SECONDS


def test_every_metric_is_in_the_streams() -> None:
    events = [event for event in map(decode, stream(0, 800)) if isinstance(event, Event)]

    assert {event.metric for event in events} == set(METRICS)
