"""The views give the figures of schemas.scoring, over random rows with old versions, late segments and partitions."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from random import Random
from typing import Any

import msgspec
import pytest

from schemas.scores import WINDOWS, Pane, Resolution
from schemas.scoring import NO_ANSWERS, Score
from tests.embedded.clickhouse.server import Server
from tests.schemas.stored_panes import SeriesName, random_panes, scores_of, series_of, sums_of

Stored = dict[Resolution, list[Pane]]
OF_SCORES, OF_MEANS = ("score", "score_low", "score_high"), ("mean", "mean_low", "mean_high")
HALF_A_DIGIT = 0.5 + 1e-6
"""The views round scores to 2 and means to 3 decimals."""


@pytest.fixture(scope="module")
def stored(tables: Server) -> Stored:
    """What has been inserted, in several parts of each table."""
    random, now = Random(20260301), int(time.time())
    rows: Stored = {
        "1m": random_panes(random, "1m", now, now - 2 * 86_400, 900),
        "1h": random_panes(random, "1h", now, now - 9 * 86_400, 900),
    }
    for resolution, panes in rows.items():
        for start in range(0, len(panes), 300):
            insert(
                tables, f"panes_{resolution}", [msgspec.json.encode(p) for p in panes[start : start + 300]]
            )
    return rows


def insert(tables: Server, table: str, rows: list[bytes]) -> None:
    status, _, answer = tables.ask(
        b"\n".join(rows),
        query=f"INSERT INTO feedback.{table} FORMAT JSONEachRow",
        max_partitions_per_insert_block=0,
    )
    assert status == 200, answer


def rows_of(tables: Server, sql: str) -> list[dict[str, Any]]:
    answer = tables.text(f"{sql} FORMAT JSONEachRow", output_format_json_quote_64bit_integers=0)
    return [json.loads(line) for line in answer.splitlines()]


def current_scores(tables: Server) -> tuple[int, list[dict[str, Any]]]:
    """The view, and the second at which it was asked: asked again if the second changed meanwhile."""
    for _ in range(50):
        before = int(tables.text("SELECT toUnixTimestamp(now())"))
        rows = rows_of(tables, "SELECT * FROM feedback.current_scores")
        if int(tables.text("SELECT toUnixTimestamp(now())")) == before:
            return before, rows
    raise AssertionError("the view takes more than a second")


def series_of_row(row: dict[str, Any]) -> SeriesName:
    return row["workspace"], row["touchpoint"], row["metric"]


def assert_shows(row: dict[str, Any], score: Score, names: tuple[str, ...], suffix: str = "") -> None:
    """The row has these figures of the score, rounded."""
    for name in names:
        digits = 2 if name in OF_SCORES else 3
        column = name.replace("score", f"score{suffix}")
        assert abs(row[column] - getattr(score, name)) <= HALF_A_DIGIT * 10**-digits, (column, row, score)
    assert row[f"n{suffix}"] == score.n


def test_current_scores_are_those_of_scoring(tables: Server, stored: Stored) -> None:
    asked_at, rows = current_scores(tables)
    shown = {(r["window"], series_of_row(r)): r for r in rows}

    expected = {
        (window, series): score
        for window, shape in WINDOWS.items()
        for series, score in scores_of(stored[shape.resolution], asked_at - shape.seconds, asked_at).items()
    }

    assert shown.keys() == expected.keys()
    assert len(expected) == 4 * 3 * 3, "every window has every touchpoint and metric"
    for name, row in shown.items():
        assert_shows(row, expected[name], (*OF_SCORES, *OF_MEANS))


def test_the_additive_columns_of_current_scores_may_be_added_up(tables: Server, stored: Stored) -> None:
    asked_at, rows = current_scores(tables)
    expected = sums_of(stored["1m"], asked_at - 86_400, asked_at)

    of_nps = [row for row in rows if row["window"] == "24h" and row["metric"] == "nps"]
    added_up = [sum(row[name] for row in of_nps) for name in ("n", "sum", "sum_sq", "top", "bottom")]

    assert added_up == [
        sum(column) for column in zip(*(expected[series_of_row(r)] for r in of_nps), strict=True)
    ]


def test_hourly_scores_are_those_of_scoring(tables: Server, stored: Stored) -> None:
    rows = rows_of(tables, "SELECT *, toUnixTimestamp(hour) AS start FROM feedback.hourly_scores")

    by_hour: dict[int, list[Pane]] = defaultdict(list)
    for pane in stored["1h"]:
        by_hour[pane.pane_start].append(pane)
    expected = {
        (start, series): score
        for start, panes in by_hour.items()
        for series, score in scores_of(panes, start - 1, start).items()
    }

    shown = {(r["start"], series_of_row(r)): r for r in rows}
    assert shown.keys() == expected.keys()
    for name, row in shown.items():
        assert_shows(row, expected[name], (*OF_SCORES, *OF_MEANS))


def test_rolling_scores_are_those_of_the_windows_that_end_with_each_minute(
    tables: Server, stored: Stored
) -> None:
    rows = rows_of(tables, "SELECT *, toUnixTimestamp(minute) AS start FROM feedback.rolling_scores")

    minutes = {(pane.pane_start, series_of(pane)) for pane in stored["1m"]}
    assert {(r["start"], series_of_row(r)) for r in rows} == minutes
    for row in Random(7).sample(rows, 120):
        series = series_of_row(row)
        of_series = [pane for pane in stored["1m"] if series_of(pane) == series]
        for window, shape in WINDOWS.items():
            within = scores_of(of_series, row["start"] - shape.seconds, row["start"])
            assert_shows(row, within.get(series, NO_ANSWERS), OF_SCORES, f"_{window}")
