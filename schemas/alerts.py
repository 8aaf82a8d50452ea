"""An alert as people see it: the messages of feedback.alerts (the alerts service's only state), and
the rows of table `alerts`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from schemas.scoring import Metric
from schemas.signals import SignalKind

AlertState = Literal["firing", "acknowledged", "resolved"]
AlertKind = Literal["bad_contact", "drop", "repeat_bad_contact"]
Severity = Literal["info", "warning", "critical"]
DeliveryOutcome = Literal["pending", "delivered", "dropped", "not_configured"]


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert in its present state. `version` counts its changes; the highest is the truth.

    `alert_id` comes from the signal's incident, so the same incident is never two alerts. `value`, `low`,
    `high` and `baseline` are points of the score for a drop; for a bad contact `value` is the raw answer.
    `delivery` says whether the team's webhook has been told of this `state`, `delivery_detail` why not.
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
    delivery: DeliveryOutcome = "pending"
    delivery_detail: str = ""
    version: int
