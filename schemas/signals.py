"""What the aggregator noticed and a team should know: the messages of feedback.signals."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from schemas.scoring import Metric

SignalKind = Literal["bad_contact", "drop", "drop_over", "repeat_bad_contact", "recovered", "aftermath"]
Dimension = Literal["channel", "agent", "team"]


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


class Contributor(Struct, frozen=True, kw_only=True):
    """A channel, agent or team that did worse during a fall than the other answers, beyond chance.

    `n` of the drop's answers are its own and have this `level`, in points of the score. `share` of all that the
    answers are below the usual level is its part: more than 1 if the others were better than usual.
    """

    dimension: Dimension
    value: str
    n: int
    level: float
    share: float


class Drop(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a touchpoint's level has fallen, in points of its score: from its own baseline to `level`.

    `since` is when the level that is told began: the lower one, or after the drop the usual one. `n` answers since
    then make it, `low` and `high` are its 90 % interval. `began` is when the drop began. `evidence_months`: were
    nothing changed, evidence this strong would come up about once in so many months; `budget_months` make a drop.
    `contributors` are those that explain most of it, the largest share first; none if all did equally badly.
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
    contributors: tuple[Contributor, ...] = ()


class Aftermath(Struct, frozen=True, kw_only=True):
    """How customers answer the next time, anywhere, after a bad contact at a touchpoint: recovery there does not work.

    Levels are from 0 (all next answers were bad) to 100 (all were good), whatever metric they belong to. `usual` is
    what customers of the workspace answer next after a bad contact anywhere, `level` after one here: that of `n`
    next answers since then, with its 90 % interval. Evidence and budget are those of a `Drop`.
    """

    since: datetime
    usual: float
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
    of a `repeat_bad_contact`, or those that `recovered` ends, `took_seconds` after the first of them. An `aftermath`
    is about the touchpoint and metric of bad contacts; its `contact` is the next answer that tipped it, `history` the
    bad contact before that one.
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
    aftermath: Aftermath | None = None
