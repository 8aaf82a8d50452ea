"""The traffic itself: an endless, seeded sequence of answers, with a drop planted at one touchpoint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct

from deploy.simulate.comments import COMMENTS, LOCALES, Mood
from deploy.simulate.world import Touchpoint, busyness, mood_of_day, touchpoints
from schemas.feedback import Answer
from schemas.scoring import SCALES, Metric, is_bad

DROP_AFTER_ANSWERS = 400
"""Answers the touchpoint gives before the drop: enough to know its usual level."""
CUSTOMERS = 5000
COMES_BACK = 0.3
SAYS_SOMETHING = {"good": 0.15, "middling": 0.25, "bad": 0.6}


class Plan(Struct, frozen=True):
    """Everything the traffic depends on: the same plan is the same answers. `seconds` 0 means without end."""

    start: datetime
    touchpoints: int
    rate: float
    seed: int
    seconds: float = 0
    drop: bool = True


class PlantedDrop(Struct, frozen=True):
    """Where and when the level falls, and by how much (a share of top answers)."""

    touchpoint: str
    metric: Metric
    starts: datetime
    usual: float
    depth: float


class Traffic:
    """One plan put into practice."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = Random(plan.seed)  # noqa: S311 - repeatable traffic, not a secret
        self.touchpoints = touchpoints(plan.touchpoints, self._random)
        self.drop = _plant(plan, self.touchpoints, self._random) if plan.drop else None

    def answers(self) -> Iterator[Answer]:
        """In time order, `rate` a second on average, from `start` on."""
        at, end = self._plan.start, self._plan.start + timedelta(seconds=self._plan.seconds)
        recent: list[int] = []
        number = 0
        while True:
            at += timedelta(seconds=self._random.expovariate(self._plan.rate))
            if self._plan.seconds and at >= end:
                return
            number += 1
            customer = self._customer(recent)
            yield self._answer(number, at, customer)

    def _customer(self, recent: list[int]) -> int:
        if recent and self._random.random() < COMES_BACK:
            return self._random.choice(recent)
        customer = self._random.randrange(CUSTOMERS)
        recent.append(customer)
        del recent[:-200]
        return customer

    def _answer(self, number: int, at: datetime, customer: int) -> Answer:
        random, hour = self._random, at.hour + at.minute / 60
        [touchpoint] = random.choices(self.touchpoints, [busyness(t, hour) for t in self.touchpoints])
        score = draw(touchpoint.metric, self._level(touchpoint, at, hour), random)
        locale = LOCALES[customer % len(LOCALES)]
        return Answer(
            touchpoint=touchpoint.name,
            metric=touchpoint.metric,
            score=score,
            event_id=f"sim-{self._plan.start:%Y%m%d%H%M%S%f}-{self._plan.seed}-{number}",
            occurred_at=at,
            interaction_id=f"i-{self._plan.start:%Y%m%d%H%M%S%f}-{number}",
            customer_id=f"c-{customer:05}",
            channel=random.choice(touchpoint.channels),
            agent=random.choice(touchpoint.agents),
            team=touchpoint.team,
            locale=locale,
            comment=_comment(touchpoint.metric, score, locale, random),
        )

    def _level(self, touchpoint: Touchpoint, at: datetime, hour: float) -> float:
        level = touchpoint.level + mood_of_day(hour)
        if self.drop and touchpoint.name == self.drop.touchpoint and at >= self.drop.starts:
            level -= self.drop.depth
        return level


def _plant(plan: Plan, places: list[Touchpoint], random: Random) -> PlantedDrop:
    """The busiest touchpoint falls by 25 to 30 points when its usual level is known, or half-way at the latest."""
    hour = plan.start.hour + plan.start.minute / 60
    place = max(places, key=lambda t: busyness(t, hour) * (t.metric != "nps"))
    share = busyness(place, hour) / sum(busyness(t, hour) for t in places)
    after = DROP_AFTER_ANSWERS / (plan.rate * share)
    if plan.seconds:
        after = min(after, plan.seconds / 2)
    starts = plan.start + timedelta(seconds=after)
    return PlantedDrop(place.name, place.metric, starts, place.level, random.uniform(0.25, 0.30))


def draw(metric: Metric, level: float, random: Random) -> int:
    """A score that is a top answer with probability `level`."""
    scale = SCALES[metric]
    if random.random() < level:
        return random.randint(scale.top_from, scale.highest)
    if metric == "nps":
        return random.choice((7, 8, 8, random.randint(0, 6), random.randint(3, 6)))
    return random.randint(scale.lowest, scale.top_from - 1)


def mood(metric: Metric, score: int) -> Mood:
    """How somebody feels who gives this score."""
    if score >= SCALES[metric].top_from:
        return "good"
    return "bad" if is_bad(metric, score) else "middling"


def _comment(metric: Metric, score: int, locale: str, random: Random) -> str:
    feeling = mood(metric, score)
    said = random.choice(COMMENTS[locale][feeling])
    return said if random.random() < SAYS_SOMETHING[feeling] else ""
