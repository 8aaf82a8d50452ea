"""Random rows of panes_1m and panes_1h, and what they add up to, counted the plain way."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import msgspec
from msgspec.structs import replace

from schemas.scores import RESOLUTION_SECONDS, Pane, Resolution
from schemas.scoring import METRICS, SCALES, Metric, Score, score_of, tally_from

SeriesName = tuple[str, str, Metric]
RowName = tuple[SeriesName, int, int, int]


def random_panes(random: Random, resolution: Resolution, newest: int, oldest: int, count: int) -> list[Pane]:
    """Rows of several touchpoints, partitions and segments; about a third in an older version as well.

    Half of them start in the last ten panes before `newest` (seconds since 1970), the rest since `oldest`.
    """
    step = RESOLUTION_SECONDS[resolution]
    rows: list[Pane] = []
    for number in range(count):
        recent = random.randrange(10) * step
        age = recent if random.random() < 0.5 else random.randrange(0, newest - oldest)
        pane = _pane(random, (newest - age) // step * step, version=1000 + number)
        rows.append(pane)
        if random.random() < 0.3:
            older = _pane(random, pane.pane_start, version=number)
            rows.append(replace(older, **{name: getattr(pane, name) for name in KEY}))
    random.shuffle(rows)
    return rows


KEY = ("workspace", "touchpoint", "metric", "src_partition", "segment")


def _pane(random: Random, start: int, version: int) -> Pane:
    metric = random.choice(METRICS)
    scale = SCALES[metric]
    lowest, histogram = random.randint(scale.lowest, scale.highest), [0] * (scale.highest + 1)
    for _ in range(random.choice([1, 1, 2, 5, 30])):
        histogram[random.randint(lowest, scale.highest)] += 1
    return Pane(
        workspace="default",
        touchpoint=f"t{random.randrange(3)}",
        metric=metric,
        pane_start=start,
        src_partition=random.randrange(2),
        segment=random.choice([0, 0, 0, 7]),
        version=version,
        **msgspec.structs.asdict(tally_from(metric, histogram)),
    )


def newest_rows(rows: list[Pane]) -> list[Pane]:
    """Of the rows with the same key, the one with the highest version."""
    newest: dict[RowName, Pane] = {}
    for row in rows:
        name = (series_of(row), row.pane_start, row.src_partition, row.segment)
        if name not in newest or newest[name].version < row.version:
            newest[name] = row
    return list(newest.values())


def series_of(row: Pane) -> SeriesName:
    return row.workspace, row.touchpoint, row.metric


def sums_of(rows: list[Pane], after: int, until: int) -> dict[SeriesName, list[int]]:
    """Sums of n, sum, sum_sq, top and bottom over each series' panes in which `after` < start <= `until`."""
    sums: dict[SeriesName, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for row in newest_rows(rows):
        if after < row.pane_start <= until:
            for place, count in enumerate((row.n, row.sum, row.sum_sq, row.top, row.bottom)):
                sums[series_of(row)][place] += count
    return sums


def scores_of(rows: list[Pane], after: int, until: int) -> dict[SeriesName, Score]:
    """For each touchpoint and metric, the score of the same panes."""
    return {series: score_of(series[2], *counts) for series, counts in sums_of(rows, after, until).items()}
