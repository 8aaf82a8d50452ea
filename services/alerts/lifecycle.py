"""Step 2 of 5 from signal to message: what a signal does to its alert. Pure; time comes in as an argument."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from schemas.alerts import Alert, AlertKind, DeliveryOutcome, Severity
from schemas.signals import Contact, Drop, Signal, SignalKind
from services.alerts.message import (
    Words,
    bad_contact_words,
    drop_over_words,
    drop_words,
    recovered_words,
    repeat_words,
)

KEPT = timedelta(days=30)
"""How long an alert that needs nobody any more is remembered. Signals are kept for 7 days only, so what is
forgotten cannot be opened again by a signal read twice."""


ENDS: dict[SignalKind, tuple[AlertKind, ...]] = {
    "drop_over": ("drop",),
    "recovered": ("bad_contact", "repeat_bad_contact"),
}
"""Which alerts a signal can end."""


class Transition(StrEnum):
    """What became of a signal; also the label of the signals metric."""

    OPENED = "opened"
    RESOLVED = "resolved"
    REPEATED = "repeated"
    UNMATCHED = "unmatched"


class Step(Struct, frozen=True):
    """The alert after a signal (None: there is none) and why. Only OPENED and RESOLVED have changed it."""

    alert: Alert | None
    reason: Transition

    @property
    def changed(self) -> Alert | None:
        """The alert, if this step has changed it."""
        return self.alert if self.reason in (Transition.OPENED, Transition.RESOLVED) else None


def alert_id_of(signal: Signal) -> str:
    """The id every signal of the same incident leads to: 32 hexadecimal digits."""
    return hashlib.sha256(f"{signal.workspace}/{signal.incident}".encode()).hexdigest()[:32]


def step(alert: Alert | None, signal: Signal, now: datetime) -> Step:
    """Apply one signal to the alert of its incident. The same signal again changes nothing."""
    if signal.kind in ENDS:
        return _end(alert, signal, now)
    if alert is not None:
        return Step(alert, Transition.REPEATED)
    if signal.kind == "bad_contact":
        return Step(
            _open(signal, now, "bad_contact", "warning", bad_contact_words(signal)), Transition.OPENED
        )
    if signal.kind == "repeat_bad_contact":
        return Step(
            _open(signal, now, "repeat_bad_contact", "critical", repeat_words(signal)), Transition.OPENED
        )
    if signal.kind == "aftermath":
        return Step(None, Transition.UNMATCHED)  # there is no alert of this kind yet
    assert signal.drop is not None, "services.alerts.signals lets no drop without its figures pass"
    opened = _open(signal, now, "drop", "critical", drop_words(signal, signal.drop))
    return Step(_with_level(opened, signal.drop), Transition.OPENED)


def told(alert: Alert, spoken: Alert, outcome: DeliveryOutcome, detail: str, now: datetime) -> Alert | None:
    """The alert after its receiver was told of `spoken`; None when it has moved on since."""
    if alert.state != spoken.state or alert.delivery != "pending":
        return None
    return replace(alert, delivery=outcome, delivery_detail=detail, changed_at=now, version=alert.version + 1)


def is_forgettable(alert: Alert, now: datetime) -> bool:
    """Whether nobody needs the alert any more: over (a customer's always is), told, and 30 days old."""
    over = alert.state == "resolved" or alert.kind in ENDS["recovered"]
    return over and alert.delivery != "pending" and now - alert.changed_at > KEPT


def _end(alert: Alert | None, signal: Signal, now: datetime) -> Step:
    if alert is None or alert.kind not in ENDS[signal.kind]:
        return Step(alert, Transition.UNMATCHED)
    if alert.state == "resolved":
        return Step(alert, Transition.REPEATED)
    words = drop_over_words(alert, signal) if signal.kind == "drop_over" else recovered_words(signal)
    ended = replace(
        alert,
        state="resolved",
        changed_at=now,
        title=words.title,
        message=words.message,
        last_signal=signal.id,
        last_kind=signal.kind,
        delivery="pending",
        delivery_detail="",
        version=alert.version + 1,
    )
    return Step(_with_level(ended, signal.drop) if signal.drop else ended, Transition.RESOLVED)


def _open(signal: Signal, now: datetime, kind: AlertKind, severity: Severity, words: Words) -> Alert:
    contact: Contact = signal.contact
    return Alert(
        alert_id=alert_id_of(signal),
        kind=kind,
        state="firing",
        severity=severity,
        workspace=signal.workspace,
        touchpoint=signal.touchpoint,
        metric=signal.metric,
        team=contact.team,
        opened_at=signal.at,
        changed_at=now,
        title=words.title,
        message=words.message,
        value=float(contact.score),
        customer_id=contact.customer_id,
        interaction_id=contact.interaction_id,
        event_id=contact.event_id,
        agent=contact.agent,
        channel=contact.channel,
        comment=contact.comment,
        last_signal=signal.id,
        last_kind=signal.kind,
        version=1,
    )


def _with_level(alert: Alert, drop: Drop) -> Alert:
    return replace(alert, value=drop.level, baseline=drop.baseline, low=drop.low, high=drop.high, n=drop.n)
