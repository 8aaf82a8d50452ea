"""An alert as people see it: the messages of feedback.alerts (the alerts service's only state), and
the rows of table `alerts`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from schemas.scoring import Metric
from schemas.signals import Aftermath, Drop, PastContact, SignalKind

AlertState = Literal["firing", "acknowledged", "resolved"]
AlertKind = Literal["bad_contact", "drop", "repeat_bad_contact", "aftermath"]
Severity = Literal["info", "warning", "critical"]
Resolution = Literal["", "drop_over", "recovered", "by_hand", "timed_out"]
Change = Literal["opened", "acknowledged", "resolved", "reopened", "assigned", "noted", "escalated"]
HeldBy = Literal["silence", "inhibition", "quiet_hours"]
Outcome = Literal["delivered", "dropped", "held"]
DeliveryOutcome = Literal["pending", "delivered", "dropped", "held", "not_configured"]

OURSELVES = "aftertouch"
"""Who has changed an alert when no person has."""


class Quote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a customer wrote at the touchpoint of an alert lately, and who had handled them."""

    comment: str
    score: int
    at: datetime
    event_id: str
    agent: str = ""
    team: str = ""
    channel: str = ""


class Transition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change in an alert's life. `why` is a reason word, a person's words, or whom it was assigned to."""

    at: datetime
    change: Change
    by: str
    why: str = ""


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of telling one receiver of the alert as of its `news`. `detail`: why it was dropped or what held
    it back. Escalations are told beside the rest, so a receiver may be here with both."""

    receiver: str
    news: int
    at: datetime
    outcome: Outcome
    escalation: bool = False
    detail: str = ""
    notice_id: str = ""


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert in its present state. `version` counts its changes; the highest is the truth.

    `alert_id` comes from the signal's incident, so the same incident is never two alerts. `value`, `low`,
    `high` and `baseline` are points of the score for a drop; for a bad contact `value` is the raw answer.
    `title` and `message` are English; what a receiver gets is written anew in its language.

    `news` counts what people have to be told of: that it fires, again, or is over. `told` says up to which each
    receiver knows; `delivery` sums that up for this state, `delivery_detail` says why not. `held_by` says what
    holds the latest news back. `quotes` are the three newest comments at the touchpoint when it began to fire,
    `past` the customer's other bad contacts, `transitions` the newest of its life, `changes` how many there were.
    """

    alert_id: str
    kind: AlertKind
    state: AlertState
    severity: Severity
    workspace: str
    touchpoint: str
    metric: Metric
    team: str = ""
    opened_at: datetime
    changed_at: datetime
    title: str
    message: str
    value: float
    baseline: float = 0.0
    low: float = 0.0
    high: float = 0.0
    n: int = 0
    customer_id: str = ""
    interaction_id: str = ""
    event_id: str = ""
    agent: str = ""
    channel: str = ""
    comment: str = ""
    last_signal: str
    last_kind: SignalKind
    occurred_at: datetime | None = None
    drop: Drop | None = None
    aftermath: Aftermath | None = None
    past: tuple[PastContact, ...] = ()
    quotes: tuple[Quote, ...] = ()
    took_seconds: float = 0.0
    assignee: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    escalated_at: datetime | None = None
    resolved_by: str = ""
    resolved_at: datetime | None = None
    resolution: Resolution = ""
    transitions: tuple[Transition, ...] = ()
    changes: int = 0
    news: int = 0
    told: tuple[Told, ...] = ()
    group: str = ""
    held_by: Literal["", HeldBy] = ""
    delivery: DeliveryOutcome = "pending"
    delivery_detail: str = ""
    version: int
