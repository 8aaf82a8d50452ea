"""What the aggregator noticed and a team should know: the messages of feedback.signals."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from schemas.scoring import Metric

SignalKind = Literal["bad_contact", "drop", "drop_over", "repeat_bad_contact", "recovered"]


class Contact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer behind a signal: who, where, what they said. Agent and team are those of contact time."""

    event_id: str
    score: int
    occurred_at: datetime
    received_at: datetime
    interaction_id: str = ""
    customer_id: str = ""
    channel: str = ""
    agent: str = ""
    team: str = ""
    comment: str = ""


class Drop(Struct, frozen=True, kw_only=True):
    """How far a touchpoint's level has fallen, in points of its score: from its own baseline to `level`.

    `since` is when the level that is told began: the lower one, or after the drop the usual one. `n` answers since
    then make it, `low` and `high` are its 90 % interval. `began` is when the drop began. `evidence_months`: were
    nothing changed, evidence this strong would come up about once in so many months; `budget_months` make a drop.
    """

    began: datetime
    since: datetime
    baseline: float
    level: float
    low: float
    high: float
    n: int
    evidence_months: float
    budget_months: float


class PastContact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A bad contact that a customer had before. Agent and team are those of contact time."""

    touchpoint: str
    metric: Metric
    score: int
    occurred_at: datetime
    event_id: str
    agent: str = ""
    team: str = ""


class Signal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing noticed, complete enough to write to a person.

    `id` is the same however often it is said; `incident` is what a drop and its end share, or a customer's
    bad contacts and the good answer after them. `history` has, in order of time, the customer's other bad contacts
    of a `repeat_bad_contact`, or those that `recovered` ends, `took_seconds` after the first of them.
    """

    id: str
    kind: SignalKind
    workspace: str
    touchpoint: str
    metric: Metric
    at: datetime
    incident: str
    contact: Contact
    drop: Drop | None = None
    history: tuple[PastContact, ...] = ()
    took_seconds: float = 0.0
