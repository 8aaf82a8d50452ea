"""Signals: the same answer always makes the same signal, and levels become points of the metric's score."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.scoring import Metric
from services.aggregator.detector import Verdict
from services.aggregator.signals import bad_contact, drop_or_over, points
from tests.aggregator.answers import NOW, answer

HOUR_AGO = NOW - timedelta(hours=1)
SINCE, WEIGHT = HOUR_AGO.timestamp(), (41, 12.8, 12.0)
DROP = Verdict("drop", "e7", SINCE, SINCE, 0.85, 0.55, 0.4, 0.7, *WEIGHT)
OVER = Verdict("drop_over", "e7", SINCE, SINCE, 0.85, 0.8, 0.7, 0.9, *WEIGHT)


def test_a_bad_answer_is_its_own_incident() -> None:
    signal = bad_contact(answer("e9", score=1))

    assert signal.id == signal.incident == "bad_contact/web.checkout/e9"
    assert (signal.kind, signal.at, signal.drop) == ("bad_contact", NOW, None)
    assert signal == bad_contact(answer("e9", score=1))


def test_the_contact_repeats_what_a_team_needs_to_know() -> None:
    event = answer(
        "e9",
        interaction_id="order-1",
        customer_id="c1",
        channel="web",
        agent="ewa",
        team="billing",
        comment="Nie działa",
        page_url="https://shop.example",
    )

    contact = bad_contact(event).contact

    for name in contact.__struct_fields__:
        assert getattr(contact, name) == getattr(event, name)


def test_a_drop_and_its_end_share_the_incident_and_have_ids_of_their_own() -> None:
    drop, over = drop_or_over(DROP, answer("e7")), drop_or_over(OVER, answer("e90", score=5))

    assert drop.id == drop.incident == over.incident == "drop/web.checkout/csat/e7"
    assert over.id == "drop/web.checkout/csat/e7/over/e90"
    assert (drop.kind, over.kind) == ("drop", "drop_over")


def test_a_drop_is_told_in_points() -> None:
    drop = drop_or_over(DROP, answer("e7")).drop

    assert drop is not None
    assert (drop.began, drop.since, drop.n) == (HOUR_AGO, HOUR_AGO, 41)
    assert (drop.evidence_months, drop.budget_months) == (12.8, 12.0)
    assert (drop.baseline, drop.level, drop.low, drop.high) == pytest.approx((85.0, 55.0, 40.0, 70.0))


@pytest.mark.parametrize(
    ("metric", "level", "expected"),
    [
        ("csat", 0.0, 0),
        ("csat", 0.82, 82),
        ("ces", 1.0, 100),
        ("nps", 0.0, -100),
        ("nps", 0.5, 0),
        ("nps", 1.0, 100),
    ],
)
def test_points_are_percent_or_minus_100_to_100(metric: Metric, level: float, expected: float) -> None:
    assert points(metric, level) == pytest.approx(expected)


def test_metrics_of_one_touchpoint_have_incidents_of_their_own() -> None:
    csat, nps = drop_or_over(DROP, answer("e7")), drop_or_over(DROP, answer("e7", metric="nps", score=0))

    assert csat.incident != nps.incident
