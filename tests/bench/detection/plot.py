"""Draws one touchpoint through a drop: `python -m tests.bench.detection.plot` writes docs/detection.svg."""

from __future__ import annotations

from collections.abc import Iterable
from math import log10
from pathlib import Path
from random import Random
from typing import NamedTuple

from services.aggregator.baseline import ALONE, DAY_SECONDS, Policy
from services.aggregator.detector import DropDetector, Verdict

SVG = Path(__file__).resolve().parents[3] / "docs" / "detection.svg"
SEED, HOURLY, USUAL, DROP = 11, 5.0, 0.85, 0.15
START = 1_767_225_600.0
SHOWN_FROM, FALLS, RECOVERS, ENDS = 60.0, 68.0, 76.0, 90.0
"""Days."""
LAST = 100
EACH = 3
"""Every third answer is drawn."""
WIDTH, LEFT, RIGHT = 860.0, 64.0, 16.0
SCORE_TOP, SCORE_HEIGHT, EVIDENCE_TOP, EVIDENCE_HEIGHT = 44.0, 200.0, 284.0, 110.0
LOWEST, HIGHEST = 0.60, 1.0
LEAST_MONTHS, MOST_MONTHS = 0.01, 20.0
POLICY = Policy()


class Point(NamedTuple):
    """The touchpoint after one answer; the evidence is that for a drop, or during an incident for its end."""

    day: float
    score: float
    baseline: float
    share: float


class Story(NamedTuple):
    """All of it, with what was said and on which day."""

    points: list[Point]
    said: list[tuple[float, Verdict]]


def story() -> Story:
    """Sixty days to learn, then a drop and a recovery; the same every time."""
    random, detector = Random(SEED), DropDetector()
    day, recent = 0.0, [USUAL] * LAST
    told = Story([], [])
    while day < ENDS:
        day += random.expovariate(HOURLY * 24)
        answer = float(random.random() < (USUAL - DROP if FALLS <= day < RECOVERS else USUAL))
        recent = [*recent[1:], answer]
        verdict = detector.observe(answer, START + day * DAY_SECONDS, "e", True, POLICY, ALONE)
        now = point(detector, day, sum(recent) / LAST)
        if verdict:
            told.said.append((day, verdict))
            now = now._replace(share=POLICY.budget_months * verdict.evidence / verdict.budget)
        if day >= SHOWN_FROM and (verdict or detector.baseline.answers % EACH == 0):
            told.points.append(now)
    return told


def point(detector: DropDetector, day: float, score: float) -> Point:
    """What is to be drawn of a detector."""
    months = detector.large if detector.incident else detector.evidence()
    budget = POLICY.over_days / 30.4375 if detector.incident else POLICY.budget_months
    return Point(day, score, detector.baseline.level(POLICY, ALONE), POLICY.budget_months * months / budget)


def x(day: float) -> float:
    """Pixels from the left."""
    return LEFT + (WIDTH - LEFT - RIGHT) * (day - SHOWN_FROM) / (ENDS - SHOWN_FROM)


def y_score(score: float) -> float:
    """Pixels from the top in the upper panel."""
    return SCORE_TOP + SCORE_HEIGHT * (HIGHEST - score) / (HIGHEST - LOWEST)


def y_evidence(months: float) -> float:
    """Pixels from the top in the lower panel, whose scale is logarithmic."""
    bounded = min(max(months, LEAST_MONTHS), MOST_MONTHS)
    return EVIDENCE_TOP + EVIDENCE_HEIGHT * log10(MOST_MONTHS / bounded) / log10(MOST_MONTHS / LEAST_MONTHS)


def path(points: Iterable[tuple[float, float]], colour: str, width: float = 1.5, dash: str = "") -> str:
    """A line through points."""
    places = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'


def text(px: float, py: float, words: str, anchor: str = "start", colour: str = "#333") -> str:
    """A label."""
    return f'<text x="{px:.1f}" y="{py:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def mark(day: float, words: str, colour: str, row: int) -> list[str]:
    """A vertical line through both panels with its label on top."""
    bottom = EVIDENCE_TOP + EVIDENCE_HEIGHT
    return [
        path([(x(day), SCORE_TOP - 4), (x(day), bottom)], colour, 1.0, "3 3"),
        text(x(day) + 3, 14.0 + 14.0 * row, words, colour=colour),
    ]


def axes() -> list[str]:
    """Grid lines with their figures."""
    drawn: list[str] = []
    for percent in range(60, 101, 10):
        height = y_score(percent / 100)
        drawn += [path([(LEFT, height), (WIDTH - RIGHT, height)], "#ddd", 1.0)]
        drawn += [text(LEFT - 6, height + 4, f"{percent} %", "end")]
    for months in (0.01, 0.1, 1, 12):
        height = y_evidence(months)
        colour = "#b00020" if months == POLICY.budget_months else "#ddd"
        drawn += [path([(LEFT, height), (WIDTH - RIGHT, height)], colour, 1.0)]
        drawn += [text(LEFT - 6, height + 4, f"{months:g}", "end")]
    bottom = EVIDENCE_TOP + EVIDENCE_HEIGHT
    days = range(int(SHOWN_FROM), int(ENDS) + 1, 5)
    drawn += [text(x(day), bottom + 16, f"day {day}", "middle") for day in days]
    drawn += [text(LEFT, SCORE_TOP + SCORE_HEIGHT - 6, "CSAT of the last 100 answers, and what is usual")]
    drawn += [
        text(LEFT, EVIDENCE_TOP - 8, "evidence in months; during the drop, for its end, as parts of 12")
    ]
    return drawn


def svg(told: Story) -> str:
    """The drawing."""
    points = told.points
    drawn = axes()
    drawn.append(path([(x(p.day), y_score(p.score)) for p in points], "#1f5fa8"))
    drawn.append(path([(x(p.day), y_score(p.baseline)) for p in points], "#2e7d32", 2.0))
    drawn.append(path([(x(p.day), y_evidence(p.share)) for p in points], "#8e5a00", 1.2))
    drawn += mark(FALLS, "level falls 15 points", "#555", 0) + mark(RECOVERS, "level is back", "#555", 0)
    for day, verdict in told.said:
        if day >= SHOWN_FROM:
            drawn += mark(day, "drop" if verdict.kind == "drop" else "drop_over", "#b00020", 1)
    height = EVIDENCE_TOP + EVIDENCE_HEIGHT + 28
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        'font-family="sans-serif" font-size="12">'
    )
    return "\n".join(
        [head, f'<rect width="{WIDTH:.0f}" height="{height:.0f}" fill="white"/>', *drawn, "</svg>\n"]
    )


if __name__ == "__main__":
    SVG.write_text(svg(story()))
