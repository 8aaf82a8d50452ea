"""Simulated traffic: repeatable, in order, acceptable to ingest, and with the drop it announces."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import msgspec
import pytest
from msgspec.structs import replace

from deploy.simulate.comments import COMMENTS
from deploy.simulate.send import TICK, lots
from deploy.simulate.traffic import Plan, PlantedDrop, Traffic, mood
from schemas.feedback import Answer, Arrival, Event, accept
from schemas.scoring import level

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
PLAN = Plan(START, touchpoints=8, rate=20, seed=7, seconds=600)


def answers(plan: Plan) -> list[Answer]:
    return list(Traffic(plan).answers())


def planted(traffic: Traffic) -> PlantedDrop:
    assert traffic.drop is not None
    return traffic.drop


def time_of(answer: Answer) -> datetime:
    assert answer.occurred_at is not None
    return answer.occurred_at


def mean_level(some: list[Answer]) -> float:
    return sum(level(answer.metric, answer.score) for answer in some) / len(some)


def test_the_same_plan_gives_the_same_answers() -> None:
    assert answers(PLAN) == answers(PLAN)
    assert answers(PLAN) != answers(replace(PLAN, seed=8))


def test_two_runs_with_one_seed_do_not_share_ids() -> None:
    later = replace(PLAN, start=START + timedelta(seconds=1))
    assert not {a.event_id for a in answers(PLAN)} & {a.event_id for a in answers(later)}


def test_keeps_order_rate_and_duration() -> None:
    made = answers(PLAN)
    assert all(time_of(a) <= time_of(b) for a, b in pairwise(made))
    assert time_of(made[-1]) < START + timedelta(seconds=600)
    assert len(made) == pytest.approx(12_000, rel=0.05)


def test_every_answer_is_one_that_ingest_takes() -> None:
    for answer in answers(replace(PLAN, touchpoints=25)):
        arrival = Arrival("acme", time_of(answer), False, "unused")
        event = accept(msgspec.json.encode(answer), arrival)
        assert isinstance(event, Event), event
        assert event.event_id == answer.event_id


@pytest.mark.parametrize("seed", range(2))
def test_one_touchpoint_falls_by_what_was_announced_and_no_other(seed: int) -> None:
    traffic = Traffic(replace(PLAN, seed=seed, seconds=3000))
    drop = planted(traffic)
    made = list(traffic.answers())
    for place in traffic.touchpoints:
        own = [a for a in made if a.touchpoint == place.name]
        before = [a for a in own if time_of(a) < drop.starts]
        after = [a for a in own if time_of(a) >= drop.starts]
        fall = mean_level(before) - mean_level(after)
        assert fall == pytest.approx(drop.depth if place.name == drop.touchpoint else 0, abs=0.11)
    assert 0.25 <= drop.depth <= 0.30
    assert sum(a.touchpoint == drop.touchpoint and time_of(a) < drop.starts for a in made) > 200


def test_no_drop_when_none_is_wanted() -> None:
    assert Traffic(replace(PLAN, drop=False)).drop is None


def test_a_short_run_drops_half_way() -> None:
    assert planted(Traffic(replace(PLAN, seconds=10))).starts == START + timedelta(seconds=5)


def test_goes_on_without_end() -> None:
    assert len(list(islice(Traffic(replace(PLAN, seconds=0)).answers(), 30_000))) == 30_000


def test_has_a_company_in_it() -> None:
    made = answers(PLAN)
    assert {a.metric for a in made} == {"csat", "ces", "nps"}
    assert {a.team for a in made} == {"support", "logistics", "digital", "shops"}
    assert len({a.channel for a in made}) >= 6
    assert len({a.agent for a in made}) >= 10
    visits = Counter(a.customer_id for a in made)
    assert sum(n > 1 for n in visits.values()) > len(visits) / 5


def test_each_touchpoint_has_its_busy_hours() -> None:
    day = answers(replace(PLAN, rate=0.2, seconds=86_400, drop=False))
    busiest = Counter(a.touchpoint for a in day).most_common(1)[0][0]
    by_part = Counter(time_of(a).hour // 6 for a in day if a.touchpoint == busiest)
    assert max(by_part.values()) > 1.2 * min(by_part.values())


def test_comments_match_language_and_score() -> None:
    said = [a for a in answers(PLAN) if a.comment]
    assert {a.locale for a in said} == {"pl-PL", "en-GB"}
    assert all(a.comment in COMMENTS[a.locale][mood(a.metric, a.score)] for a in said)


@pytest.mark.parametrize("batch", [1, 50])
def test_answers_travel_in_order_and_do_not_wait_for_company(batch: int) -> None:
    made = answers(replace(PLAN, seconds=60))
    trips = list(lots(made, batch))
    assert [answer for trip in trips for answer in trip] == made
    assert all(len(trip) <= batch and time_of(trip[-1]) - time_of(trip[0]) <= TICK for trip in trips)
