"""The view top_drops: the same touchpoints, figures and order as a plain comparison by schemas.scoring."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest

from schemas.scores import RESOLUTION_SECONDS, Pane, Resolution
from schemas.scoring import METRICS, SCALES, Metric, Score, tally_from
from tests.embedded.clickhouse.server import Server
from tests.schemas.stored_panes import SeriesName, scores_of, series_of

DAY, HOUR = 86_400, 3_600
WORKSPACE = "drops"


def pane(resolution: Resolution, touchpoint: str, metric: Metric, start: int, histogram: list[int]) -> Pane:
    step = RESOLUTION_SECONDS[resolution]
    return Pane(
        workspace=WORKSPACE,
        touchpoint=touchpoint,
        metric=metric,
        pane_start=start // step * step,
        src_partition=0,
        segment=0,
        version=1,
        **msgspec.structs.asdict(tally_from(metric, histogram)),
    )


def histogram(random: Random, metric: Metric, n: int, good: float) -> list[int]:
    scale = SCALES[metric]
    counts = [0] * (scale.highest + 1)
    for _ in range(n):
        counts[scale.highest if random.random() < good else scale.lowest] += 1
    return counts


@pytest.fixture(scope="module")
def stored(tables: Server) -> Iterator[dict[Resolution, list[Pane]]]:
    """Touchpoints that were good for weeks and are more or less bad today; old and boundary panes as well."""
    random, now = Random(11), int(time.time())
    rows: dict[Resolution, list[Pane]] = {"1m": [], "1h": []}
    for number in range(12):
        for metric in METRICS:
            name, today = f"t{number}", 0.9 - 0.06 * number
            rows["1m"] += [
                pane("1m", name, metric, now - age, histogram(random, metric, 4 + number, today))
                for age in (0, 600, 20 * HOUR, 26 * HOUR)
            ]
            rows["1h"] += [
                pane("1h", name, metric, now - age, histogram(random, metric, 10, good))
                for age, good in ((HOUR, 0.0), (27 * HOUR, 0.9), (20 * DAY, 0.9), (40 * DAY, 0.0))
            ]
    few, alone = (
        pane("1m", "few", "csat", now, [0, 9, 0, 0, 0, 0]),
        pane("1m", "new", "csat", now, [0] + [9] * 5),
    )
    rows["1m"] += [few, alone]
    rows["1h"].append(pane("1h", "few", "csat", now - 3 * DAY, [0, 0, 0, 0, 0, 99]))
    for resolution, panes in rows.items():
        query = f"INSERT INTO feedback.panes_{resolution} FORMAT JSONEachRow"
        body = b"\n".join(msgspec.json.encode(one) for one in panes)
        status, _, said = tables.ask(body, query=query, max_partitions_per_insert_block=0)
        assert status == 200, said
    yield rows
    for resolution in rows:
        tables.text(f"TRUNCATE TABLE feedback.panes_{resolution}")  # other tests read whole tables


def top_drops(tables: Server) -> tuple[int, list[dict[str, Any]]]:
    """The view, and the second at which it was asked."""
    sql = f"SELECT * FROM feedback.top_drops WHERE workspace = '{WORKSPACE}' FORMAT JSONEachRow"
    for _ in range(50):
        before = int(tables.text("SELECT toUnixTimestamp(now())"))
        answer = tables.text(sql, output_format_json_quote_64bit_integers=0)
        if int(tables.text("SELECT toUnixTimestamp(now())")) == before:
            return before, [json.loads(line) for line in answer.splitlines()]
    raise AssertionError("the view takes more than a second")


def difference(now: Score, before: Score) -> tuple[float, float, float]:
    """Newcombe's interval of the difference, from both scores' own intervals."""
    gap = now.score - before.score
    below = math.hypot(now.score - now.score_low, before.score_high - before.score)
    above = math.hypot(now.score_high - now.score, before.score - before.score_low)
    return gap, gap - below, gap + above


def expected(rows: dict[Resolution, list[Pane]], at: int) -> dict[SeriesName, tuple[Score, Score]]:
    today = scores_of(rows["1m"], at - DAY, at)
    before = scores_of(rows["1h"], at - 29 * DAY, at - DAY - HOUR)
    return {
        name: (today[name], before[name])
        for name in today.keys() & before.keys()
        if today[name].n >= 10 and before[name].n >= 10 and difference(today[name], before[name])[2] < 0
    }


def test_top_drops_are_those_that_the_intervals_tell(
    tables: Server, stored: dict[Resolution, list[Pane]]
) -> None:
    at, rows = top_drops(tables)
    fallen = expected(stored, at)

    assert {(r["workspace"], r["touchpoint"], r["metric"]) for r in rows} == fallen.keys()
    assert 5 < len(fallen) < len({series_of(one) for one in stored["1m"]}) - 5
    assert rows == sorted(rows, key=lambda r: r["difference_high"])
    for row in rows:
        now, before = fallen[(row["workspace"], row["touchpoint"], row["metric"])]
        assert (row["n"], row["n_before"]) == (now.n, before.n)
        for name in ("score", "score_low", "score_high"):
            assert row[name] == pytest.approx(getattr(now, name), abs=0.006)
            assert row[name.replace("score", "score_before")] == pytest.approx(
                getattr(before, name), abs=0.006
            )
        shown = [row[name] for name in ("difference", "difference_low", "difference_high")]
        assert shown == pytest.approx(difference(now, before), abs=0.04)
