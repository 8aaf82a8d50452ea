"""What one customer's answers mean together: another bad contact, and the first good answer after bad ones. Pure."""

from __future__ import annotations

from bisect import insort
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from schemas.customers import CustomerAnswer
from schemas.scoring import is_bad, is_good
from schemas.signals import PastContact, Signal, SignalKind

MOST_CONTACTS = 10
"""So many bad contacts of a customer are remembered, the latest ones."""


class BadContact(Struct, frozen=True, array_like=True):
    """A bad contact that is remembered; `ended` when a good answer has come after it."""

    past: PastContact
    interaction_id: str
    ended: bool = False


class Customer(Struct, array_like=True):
    """One customer's bad contacts in order of event time, as of `version`: the offset after the last change.

    `incident` names the alert that a repeated bad contact has opened and no good answer has ended yet.
    """

    version: int = 0
    contacts: list[BadContact] = field(default_factory=list)
    incident: str = ""

    def take(self, answer: CustomerAnswer, within: timedelta) -> Signal | None:
        """Let one answer count; what a team should know of it.

        A later answer to the same question of the same interaction takes the earlier one's place: it is the same
        contact, so it neither repeats nor ends it. What was said before stays said.
        """
        known = len(self.contacts)
        self.contacts = [one for one in self.contacts if not _is_same_contact(one, answer)]
        if is_bad(answer.metric, answer.contact.score):
            return self._add(answer, within, is_new=len(self.contacts) == known)
        return self._end(answer, within) if is_good(answer.metric, answer.contact.score) else None

    def forget(self, before: datetime) -> None:
        """Forget the bad contacts of before then."""
        self.contacts = [one for one in self.contacts if one.past.occurred_at >= before]

    def _add(self, answer: CustomerAnswer, within: timedelta, is_new: bool) -> Signal | None:
        at = answer.contact.occurred_at
        others = [one.past for one in self.contacts if abs(one.past.occurred_at - at) <= within]
        insort(self.contacts, _remembered(answer), key=_occurred_at)
        del self.contacts[:-MOST_CONTACTS]
        if not is_new:
            return None
        if not others:
            self.incident = ""
            return None
        signal = _signal("repeat_bad_contact", answer, others)
        self.incident = self.incident or signal.id
        return replace(signal, incident=self.incident)

    def _end(self, answer: CustomerAnswer, within: timedelta) -> Signal | None:
        at = answer.contact.occurred_at
        ended = [
            one
            for one in self.contacts
            if not one.ended and timedelta() <= at - one.past.occurred_at <= within
        ]
        if not ended:
            return None
        self.contacts = [replace(one, ended=True) if one in ended else one for one in self.contacts]
        history = [one.past for one in ended]
        signal = _signal("recovered", answer, history)
        incident, self.incident = self.incident or incident_of(history[-1]), ""
        took = (at - history[0].occurred_at).total_seconds()
        return replace(signal, incident=incident, took_seconds=took)


def incident_of(contact: PastContact) -> str:
    """The incident of the `bad_contact` signal that the windows worker has written of it."""
    return f"bad_contact/{contact.touchpoint}/{contact.event_id}"


def _signal(kind: SignalKind, answer: CustomerAnswer, history: list[PastContact]) -> Signal:
    name = f"{kind}/{answer.touchpoint}/{answer.contact.event_id}"
    return Signal(
        id=name,
        kind=kind,
        workspace=answer.workspace,
        touchpoint=answer.touchpoint,
        metric=answer.metric,
        at=answer.contact.received_at,
        incident=name,
        contact=answer.contact,
        history=tuple(history),
    )


def _remembered(answer: CustomerAnswer) -> BadContact:
    contact = answer.contact
    past = PastContact(
        touchpoint=answer.touchpoint,
        metric=answer.metric,
        score=contact.score,
        occurred_at=contact.occurred_at,
        event_id=contact.event_id,
        agent=contact.agent,
        team=contact.team,
    )
    return BadContact(past, contact.interaction_id)


def _is_same_contact(one: BadContact, answer: CustomerAnswer) -> bool:
    return (
        bool(one.interaction_id)
        and one.interaction_id == answer.contact.interaction_id
        and (one.past.touchpoint, one.past.metric) == (answer.touchpoint, answer.metric)
    )


def _occurred_at(one: BadContact) -> datetime:
    return one.past.occurred_at
