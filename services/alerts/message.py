"""Step 2 of 5 from signal to message: the words of an alert, for a person who has never seen one. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from schemas.alerts import Alert
from schemas.scoring import SCALES, Metric
from schemas.signals import Contact, Drop, PastContact, Signal

QUOTE_MOST = 300
"""Characters of a comment that are quoted; the alert's `comment` field has it whole."""

_UNIT = {"csat": " %", "ces": " %", "nps": ""}
_MEANING: dict[Metric, str] = {
    "csat": "CSAT is the share of customers who were satisfied (4 or 5 of 5).",
    "ces": "CES is the share of customers who found it easy (5 to 7 of 7).",
    "nps": "NPS is the share of promoters (9 or 10) less that of detractors (0 to 6).",
}
_COMPLAINT: dict[Metric, str] = {
    "csat": "A customer was not satisfied",
    "ces": "A customer found it hard",
    "nps": "A customer would not recommend you",
}


_ORDINALS = {2: "second", 3: "third", 4: "fourth"}


class Words(Struct, frozen=True):
    """A title of one line, and a message of a few short lines."""

    title: str
    message: str


def bad_contact_words(signal: Signal) -> Words:
    """What to say of one bad answer."""
    contact, answer = signal.contact, _answer(signal.metric, signal.contact.score)
    lines = [
        f"{_COMPLAINT[signal.metric]} at {signal.touchpoint}: {answer}, on {_moment(contact.occurred_at)}.",
        _handled(contact),
        _quoted(contact),
        f"What to do: get in touch with {_customer(contact)}{_about(contact)} while it is still fresh.",
    ]
    return Words(f"Bad contact at {signal.touchpoint}: {answer}", _joined(lines))


def repeat_words(signal: Signal) -> Words:
    """What to say when a customer had another bad contact within weeks."""
    contact, customer = signal.contact, _customer(signal.contact)
    times = len(signal.history) + 1
    lines = [
        f"{customer[0].upper()}{customer[1:]} had a {_ordinal(times)} bad contact:"
        f" {_answer(signal.metric, contact.score)} at {signal.touchpoint}, on {_moment(contact.occurred_at)}.",
        _handled(contact),
        _quoted(contact),
        "Their other bad contacts of these weeks:",
        *(f"- {_past(one)}" for one in signal.history),
        "Why it matters: 19 % of customers leave after one bad contact, 76 % after the second.",
        f"What to do: call {customer} today{_about(contact)}, and have one person settle all of it."
        " One more message will say when they are satisfied again.",
    ]
    return Words(f"{_ordinal(times).capitalize()} bad contact of {customer}", _joined(lines))


def recovered_words(signal: Signal) -> Words:
    """What to say when a customer who had bad contacts gave a good answer."""
    customer = _customer(signal.contact)
    which = "the first bad contact" if len(signal.history) > 1 else "the bad contact"
    lines = [
        f"{customer[0].upper()}{customer[1:]} gave a good answer again:"
        f" {_answer(signal.metric, signal.contact.score)} at {signal.touchpoint},"
        f" {_length(timedelta(seconds=signal.took_seconds))} after {which}.",
        _handled(signal.contact),
        _quoted(signal.contact),
        "What had gone badly:",
        *(f"- {_past(one)}" for one in signal.history),
        "Nothing more to do.",
    ]
    return Words(f"{customer[0].upper()}{customer[1:]} is satisfied again", _joined(lines))


def drop_words(signal: Signal, drop: Drop) -> Words:
    """What to say when a touchpoint's score has fallen."""
    name, fallen = signal.metric.upper(), round(drop.baseline) - round(drop.level)
    usual, present = _points(signal.metric, drop.baseline), _points(signal.metric, drop.level)
    lines = [
        f"Since {_moment(drop.since)}, {name} at {signal.touchpoint} is about {present}"
        f" instead of its usual {usual}: {fallen} points lower. {_MEANING[signal.metric]}",
        _certainty(signal.metric, drop),
        f"The answer that raised this alert: {signal.contact.score} of {SCALES[signal.metric].highest}"
        f" from {_customer(signal.contact)}, on {_moment(signal.contact.occurred_at)}.",
        _handled(signal.contact),
        _quoted(signal.contact),
        f"What to do: find out what changed at {signal.touchpoint} at that time (a release, an outage,"
        " a new script, too few people), and get in touch with this customer."
        " One more message will say when it is over.",
    ]
    return Words(f"{name} at {signal.touchpoint} dropped from {usual} to {present}", _joined(lines))


def drop_over_words(alert: Alert, signal: Signal) -> Words:
    """What to say when the drop behind `alert` is over."""
    name, worst, usual = (
        signal.metric.upper(),
        _points(signal.metric, alert.value),
        _points(signal.metric, alert.baseline),
    )
    lasted = _length(signal.at - alert.opened_at)
    recap = f"It was {worst} when the alert was raised; usual is {usual}."
    if signal.drop is None:
        title = f"{name} at {signal.touchpoint} has recovered"
        return Words(title, f"The drop is over after {lasted}. {recap}\nNothing more to do.")
    present = _points(signal.metric, signal.drop.level)
    low, high = _points(signal.metric, signal.drop.low), _points(signal.metric, signal.drop.high)
    lines = [
        f"The drop is over after {lasted}: {name} at {signal.touchpoint} is about {present} again"
        f" (between {low} and {high}, from {_answers(signal.drop.n)}).",
        recap,
        "Nothing more to do.",
    ]
    return Words(f"{name} at {signal.touchpoint} has recovered to {present}", _joined(lines))


def _certainty(metric: Metric, drop: Drop) -> str:
    low, high = _points(metric, drop.low), _points(metric, drop.high)
    seen = f"Going by {_answers(drop.n)}, the score now lies between {low} and {high} (90 % interval)"
    deep = "" if drop.baseline > drop.high else ": how deep the drop is remains to be seen"
    return (
        "How sure: if nothing had changed, so many bad answers would come together by chance about once in"
        f" {round(drop.evidence_months)} months. {seen}{deep}."
    )


def _answer(metric: Metric, score: int) -> str:
    return f"{metric.upper()} {score} of {SCALES[metric].highest}"


def _past(one: PastContact) -> str:
    handled = f", handled{by}" if (by := _by(one)) else ""
    return f"{_answer(one.metric, one.score)} at {one.touchpoint}, on {_moment(one.occurred_at)}{handled}"


def _ordinal(number: int) -> str:
    return _ORDINALS.get(number, f"{number}th")


def _by(contact: Contact | PastContact) -> str:
    agent, team = _one_line(contact.agent), _one_line(contact.team)
    if agent and team:
        return f" by {agent} (team {team})"
    return f" by {agent or f'team {team}'}" if agent or team else ""


def _handled(contact: Contact) -> str:
    channel, by = _one_line(contact.channel), _by(contact)
    via = f" via {channel}" if channel else ""
    return f"Handled{by}{via}." if by or via else ""


def _quoted(contact: Contact) -> str:
    comment = _one_line(contact.comment)
    if len(comment) > QUOTE_MOST:
        comment = comment[:QUOTE_MOST].rstrip() + "…"
    return f"They wrote: “{comment}”" if comment else ""


def _customer(contact: Contact) -> str:
    return f"customer {_one_line(contact.customer_id)}" if contact.customer_id else "an unnamed customer"


def _about(contact: Contact) -> str:
    return f" about interaction {_one_line(contact.interaction_id)}" if contact.interaction_id else ""


def _points(metric: Metric, value: float) -> str:
    return f"{round(value)}{_UNIT[metric]}"


def _answers(n: int) -> str:
    return "1 answer" if n == 1 else f"{n} answers"


def _moment(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _length(time: timedelta) -> str:
    minutes = max(1, round(time.total_seconds() / 60))
    if minutes < 120:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _joined(lines: list[str]) -> str:
    return "\n".join(line for line in lines if line)
