"""Writes the signals of feedback.signals: the same answer always makes the same signal."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.customers import CustomerAnswer
from schemas.feedback import Event
from schemas.scoring import Metric
from schemas.signals import Contact, Drop, Signal
from services.aggregator.detector import Verdict


def bad_contact(event: Event) -> Signal:
    """One bad answer."""
    incident = f"bad_contact/{event.touchpoint}/{event.event_id}"
    return Signal(
        id=incident,
        kind="bad_contact",
        workspace=event.workspace,
        touchpoint=event.touchpoint,
        metric=event.metric,
        at=event.received_at,
        incident=incident,
        contact=contact_of(event),
    )


def drop_or_over(verdict: Verdict, event: Event) -> Signal:
    """A drop that this answer tipped, or the end of one that it proved."""
    incident = f"drop/{event.touchpoint}/{event.metric}/{verdict.incident}"
    return Signal(
        id=incident if verdict.kind == "drop" else f"{incident}/over/{event.event_id}",
        kind=verdict.kind,
        workspace=event.workspace,
        touchpoint=event.touchpoint,
        metric=event.metric,
        at=event.received_at,
        incident=incident,
        contact=contact_of(event),
        drop=Drop(
            began=datetime.fromtimestamp(verdict.began, UTC),
            since=datetime.fromtimestamp(verdict.since, UTC),
            baseline=points(event.metric, verdict.baseline),
            level=points(event.metric, verdict.level),
            low=points(event.metric, verdict.low),
            high=points(event.metric, verdict.high),
            n=verdict.n,
            evidence_months=verdict.evidence,
            budget_months=verdict.budget,
        ),
    )


def customer_answer(event: Event, partition: int, offset: int) -> CustomerAnswer:
    """The answer at this place of feedback.events, for the fold of its customer."""
    return CustomerAnswer(
        workspace=event.workspace,
        touchpoint=event.touchpoint,
        metric=event.metric,
        contact=contact_of(event),
        src_partition=partition,
        src_offset=offset,
    )


def contact_of(event: Event) -> Contact:
    """The answer as a team needs to see it."""
    return Contact(
        event_id=event.event_id,
        score=event.score,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        interaction_id=event.interaction_id,
        customer_id=event.customer_id,
        channel=event.channel,
        agent=event.agent,
        team=event.team,
        comment=event.comment,
    )


def points(metric: Metric, level: float) -> float:
    """A level from 0 to 1 in points of the metric's score: percent, or -100 to 100 for NPS."""
    return 200 * level - 100 if metric == "nps" else 100 * level
