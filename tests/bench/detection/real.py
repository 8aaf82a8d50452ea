"""Real answers: what the detector says to them as they are, and how soon it notices drops put into them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from schemas.scoring import Metric, level
from services.aggregator.baseline import ALONE
from services.aggregator.detector import DropDetector
from tests.bench.detection.ours import POLICY, Detected, feed
from tests.bench.detection.rivals import (
    RIVALS,
    Course,
    alarm_after,
    likelihood_sum,
    past,
    peaks,
    threshold_for,
)
from tests.bench.detection.worlds import DAY, Floats, Stream

DATA = Path(os.environ.get("AFTERTOUCH_REAL_DATA", Path(__file__).parents[4] / "shared" / "data"))
SEED, SHUFFLES, INJECTIONS = 5, 200, 60
SHARES = (0.10, 0.20)
LEAST_ANSWERS = 1000
"""Of smaller touchpoints, only what is said to them as they are is told."""
OURS, OPTIMUM = "ours", "optimum"


class Source(NamedTuple):
    """A file of real answers and what its columns mean."""

    file: str
    metric: Metric
    score: str
    at: str
    time_format: str
    touchpoint: str


SOURCES = (
    Source("call_centre_csat.csv", "csat", "satisfaction", "answered_at", "%Y-%m-%dT%H:%M:%S", "topic"),
    Source("shop_reviews.csv", "csat", "score", "answered_at", "%Y-%m-%dT%H:%M:%S", "category"),
    Source("nps_survey.csv", "nps", "NPS", "Survey date", "%d/%m/%y", "Market"),
)


class Alarm(NamedTuple):
    """Something that was said to the answers as they are."""

    touchpoint: str
    kind: str
    at: str
    level_before: float
    level_after: float


class Injected(NamedTuple):
    """Drops put into one touchpoint: mean answers to the alarm and share missed, by method and share turned bad."""

    touchpoint: str
    answers: int
    false_alarms_a_year: float
    delays: dict[str, float]
    missed: dict[str, float]


def available() -> bool:
    """Whether the files are there."""
    return all((DATA / source.file).exists() for source in SOURCES)


def touchpoints() -> Iterator[tuple[str, Stream]]:
    """Each file as a whole, then each of its touchpoints, oldest answer first."""
    for source in SOURCES:
        with (DATA / source.file).open(encoding="utf-8", newline="") as text:
            rows = [row for row in csv.DictReader(text) if row[source.score]]
        answered = [
            (
                datetime.strptime(row[source.at], source.time_format).replace(tzinfo=UTC).timestamp(),
                level(source.metric, int(row[source.score])),
                row[source.touchpoint] or "none",
            )
            for row in rows
        ]
        answered.sort(
            key=itemgetter(0)
        )  # by time alone: answers of one day or second stay in the file's order
        name = source.file.removesuffix(".csv")
        yield f"{name}, all", as_stream([(at, u) for at, u, _ in answered])
        for part in sorted({part for _, _, part in answered}):
            yield f"{name}, {part}", as_stream([(at, u) for at, u, here in answered if here == part])


def as_stream(answered: list[tuple[float, float]]) -> Stream:
    """Answers as a stream whose true level is taken to be their mean."""
    times, answers = np.array([at for at, _ in answered]), np.array([u for _, u in answered])
    return Stream(times, answers, np.full(len(times), answers.mean()), np.empty(0))


def said(stream: Stream) -> list[Detected]:
    """What a detector that knows nothing yet says to a stream."""
    return feed(DropDetector(), stream, range(len(stream.times)), ALONE, POLICY)


def alarms(name: str, stream: Stream) -> list[Alarm]:
    """What is said to the answers as they are."""
    return [
        Alarm(
            name,
            one.verdict.kind,
            datetime.fromtimestamp(stream.times[one.answer], UTC).isoformat(timespec="minutes"),
            one.verdict.baseline,
            one.verdict.level,
        )
        for one in said(stream)
    ]


def injected(name: str, stream: Stream) -> Injected:
    """Drops at random times in the middle fifth, each method at our number of false alarms in shuffled answers."""
    random = np.random.default_rng(SEED)
    shuffled = [stream._replace(answers=random.permutation(stream.answers)) for _ in range(SHUFFLES)]
    ours = sum(one.verdict.kind == "drop" for shuffle in shuffled for one in said(shuffle))
    thresholds = {
        method: threshold_for(np.concatenate([found[method] for found in map(all_peaks, shuffled)]), ours)
        for method in all_peaks(stream)
    }
    counts: dict[str, list[int]] = {}
    missed: dict[str, list[bool]] = {}
    for _ in range(INJECTIONS):
        first = int(len(stream.times) * random.uniform(0.4, 0.6))
        for share in SHARES:
            worse = worsened(stream, first, share, random)
            for method, count in delays(worse, stream.truth, first, share, thresholds).items():
                counts.setdefault(f"{method} {share:.0%}", []).append(min(count, len(worse.times) - first))
                missed.setdefault(f"{method} {share:.0%}", []).append(count > len(worse.times) - first)
    years = SHUFFLES * (stream.times[-1] - stream.times[0]) / (365.25 * DAY)
    return Injected(
        name,
        len(stream.times),
        ours / years,
        {method: float(np.mean(found)) for method, found in counts.items()},
        {method: float(np.mean(found)) for method, found in missed.items()},
    )


def worsened(stream: Stream, first: int, share: float, random: np.random.Generator) -> Stream:
    """The same, with this share of good answers turned bad from the one numbered `first` on."""
    turned = random.uniform(size=len(stream.times)) < share
    turned[:first] = False
    return stream._replace(answers=np.where(turned, 0.0, stream.answers))


def courses(stream: Stream, unchanged: Floats) -> dict[str, Course]:
    """Every method over one stream, and the optimum for each share."""
    known = past(stream)
    found = {name: course(stream, known) for name, course in RIVALS.items()}
    for share in SHARES:
        found[f"{OPTIMUM} {share}"] = likelihood_sum(stream.answers, unchanged, share * unchanged[0])
    return found


def all_peaks(stream: Stream) -> dict[str, Floats]:
    return {name: peaks(course) for name, course in courses(stream, stream.truth).items()}


def delays(
    worse: Stream, unchanged: Floats, first: int, share: float, thresholds: dict[str, float]
) -> dict[str, int]:
    """Answers to the alarm by method; a method that rings already at the time is left out."""
    found: dict[str, int] = {}
    for name, course in courses(worse, unchanged).items():
        count = alarm_after(course, first, thresholds[name])
        if count is not None and (not name.startswith(OPTIMUM) or name == f"{OPTIMUM} {share}"):
            found[name.split(" 0.")[0]] = count
    verdicts = said(worse)
    before = [one for one in verdicts if one.answer < first]
    if not before or before[-1].verdict.kind == "drop_over":
        after = [one.answer for one in verdicts if one.answer >= first]
        found[OURS] = (after[0] if after else len(worse.times)) - first + 1
    return found
