"""One answer as it is posted (`Answer`) and as it travels on feedback.events and is stored (`Event`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from schemas.rejections import Reason, Rejected, refuse
from schemas.scoring import Metric, in_range

FUTURE_LIMIT = timedelta(minutes=5)
"""How far a sender's clock may run ahead of ours."""
_EARLIEST_BY = -FUTURE_LIMIT
LATE_LIMIT = timedelta(days=7)
"""How late an answer may arrive and still be counted, unless it is imported."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""The oldest history that can be imported."""

SLUG = r"^[a-z0-9][a-z0-9._-]{0,63}\Z"
EVENT_ID = r"^[!-~]{1,64}\Z"
Slug = Annotated[str, Meta(pattern=SLUG)]
EventId = Annotated[str, Meta(pattern=EVENT_ID)]
Name = Annotated[str, Meta(max_length=128)]
Zoned = Annotated[datetime, Meta(tz=True)]


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer as posted to /v1/feedback. Only the first three fields are required.

    `event_id` is the idempotency key, `occurred_at` the time of the answer (default: the time of arrival).
    """

    touchpoint: Slug
    metric: Metric
    score: int
    event_id: EventId | None = None
    occurred_at: Zoned | None = None
    interaction_id: Name = ""
    customer_id: Name = ""
    channel: Name = ""
    agent: Name = ""
    team: Name = ""
    locale: Annotated[str, Meta(max_length=35)] = ""
    comment: Annotated[str, Meta(max_length=4000)] = ""
    page_url: Annotated[str, Meta(max_length=2000)] = ""
    tags: Annotated[
        dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=256)]], Meta(max_length=16)
    ] = {}


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One accepted answer on feedback.events, and one row of table `events`.

    `workspace` comes from the key and `received_at` from the server, never from the body. `imported`
    marks history: it has no lateness limit and raises no signal. `workspace` and `touchpoint` are slugs and
    `event_id` is an EventId, which `decode` checks: as patterns of the types they would double the cost of reading.
    """

    workspace: str
    touchpoint: str
    metric: Metric
    score: int
    event_id: str
    occurred_at: Zoned
    received_at: Zoned
    interaction_id: str = ""
    customer_id: str = ""
    channel: str = ""
    agent: str = ""
    team: str = ""
    locale: str = ""
    comment: str = ""
    page_url: str = ""
    tags: dict[str, str] = {}
    imported: bool = False


class Replaced(Struct, frozen=True, kw_only=True):
    """An answer that a later one to the same question replaced, on feedback.replaced: it hides its row in `events`.

    `received_at` is the arrival of the later answer; `src_offset` is where the replaced one stands.
    """

    workspace: str
    touchpoint: str
    metric: Metric
    score: int
    event_id: str
    occurred_at: datetime
    received_at: datetime
    src_partition: int
    src_offset: int
    replaced: int = 1


class Arrival(Struct, frozen=True):
    """What the server adds to an answer: whose it is, when it came, and the id it gets when it has none."""

    workspace: str
    received_at: datetime
    imported: bool
    event_id: str


_answers = msgspec.json.Decoder(Answer)
_events = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()

_is_slug = re.compile(SLUG).match
_is_event_id = re.compile(EVENT_ID).match

_AT_FIELD = re.compile(r" - at `\$\.(\w+)[^`]*`\Z")
_MISSING_FIELD = re.compile(r"Object missing required field `(\w+)`\Z")
_REASON_BY_FIELD = {
    "touchpoint": Reason.TOUCHPOINT_INVALID,
    "metric": Reason.METRIC_UNKNOWN,
    "score": Reason.SCORE_INVALID,
    "event_id": Reason.EVENT_ID_INVALID,
    "occurred_at": Reason.OCCURRED_AT_INVALID,
}


UNREADABLE = frozenset(
    {
        Reason.JSON_INVALID,
        Reason.NOT_AN_OBJECT,
        Reason.FIELD_MISSING,
        Reason.FIELD_UNKNOWN,
        Reason.FIELD_INVALID,
        Reason.SCORE_OUT_OF_RANGE,
        *_REASON_BY_FIELD.values(),
    }
)
"""Why `decode` refuses what is no answer. Answers that are only too late or in the future are not among these."""


def accept(raw: bytes | msgspec.Raw, arrival: Arrival) -> Event | Rejected:
    """Turn one posted JSON object into an event, or say what is wrong with it. Never repeats input."""
    try:
        answer = _answers.decode(raw)
    except msgspec.ValidationError as error:
        return _explain(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return refuse(Reason.JSON_INVALID)
    event = Event(
        workspace=arrival.workspace,
        touchpoint=answer.touchpoint,
        metric=answer.metric,
        score=answer.score,
        event_id=answer.event_id or arrival.event_id,
        occurred_at=_utc(answer.occurred_at or arrival.received_at),
        received_at=arrival.received_at,
        interaction_id=_clean(answer.interaction_id),
        customer_id=_clean(answer.customer_id),
        channel=_clean(answer.channel),
        agent=_clean(answer.agent),
        team=_clean(answer.team),
        locale=_clean(answer.locale),
        comment=_clean(answer.comment),
        page_url=_clean(answer.page_url),
        tags={_clean(name): _clean(value) for name, value in answer.tags.items()},
        imported=arrival.imported,
    )
    return refusal(event) or event


def decode(value: bytes | None) -> Event | Rejected:
    """Read one message of feedback.events; what is not a countable event is a refusal, never an exception."""
    if value is None:
        return refuse(Reason.JSON_INVALID, "the message has no value")
    try:
        event = _events.decode(value)
    except msgspec.ValidationError as error:
        return _explain(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return refuse(Reason.JSON_INVALID)
    misnamed = _misnamed(event.workspace, event.touchpoint)
    if misnamed is None and _is_event_id(event.event_id):
        return refusal(event) or event
    return misnamed or refuse(Reason.EVENT_ID_INVALID)


def encode(event: Event) -> bytes:
    """The message on feedback.events, which is also the row of table `events`."""
    return _encoder.encode(event)


def topic_key(workspace: str, touchpoint: str) -> bytes:
    """The message key: all answers of a touchpoint share one partition, in order."""
    return f"{workspace}/{touchpoint}".encode()


def refusal(event: Event) -> Rejected | None:
    """What the types cannot say: the score's range for the metric, and the time limits."""
    if not in_range(event.metric, event.score):
        return refuse(Reason.SCORE_OUT_OF_RANGE)
    late_by = event.received_at - event.occurred_at
    if late_by < _EARLIEST_BY:
        return refuse(Reason.IN_THE_FUTURE)
    if late_by > LATE_LIMIT and not event.imported:
        return refuse(Reason.TOO_LATE)
    if event.occurred_at < EARLIEST:
        return refuse(Reason.TOO_LATE, f"history before {EARLIEST.year} is not kept")
    return None


@lru_cache(maxsize=8192)
def _misnamed(workspace: str, touchpoint: str) -> Rejected | None:
    if not _is_slug(workspace):
        return refuse(Reason.FIELD_INVALID, "workspace must be a slug")
    return None if _is_slug(touchpoint) else refuse(Reason.TOUCHPOINT_INVALID)


def _explain(message: str) -> Rejected:
    """Name the reason and the field behind a msgspec error, without the value."""
    if missing := _MISSING_FIELD.match(message):
        return refuse(Reason.FIELD_MISSING, f"{missing[1]} is required")
    if message.startswith("Object contains unknown field"):
        return refuse(
            Reason.FIELD_UNKNOWN, f"feedback has only the fields {', '.join(Answer.__struct_fields__)}"
        )
    if at := _AT_FIELD.search(message):
        reason = _REASON_BY_FIELD.get(at[1], Reason.FIELD_INVALID)
        return refuse(reason, "" if reason is not Reason.FIELD_INVALID else message.replace("`", "'"))
    if message.startswith("Expected `object`"):
        return refuse(Reason.NOT_AN_OBJECT)
    return refuse(Reason.FIELD_INVALID)


def _utc(moment: datetime) -> datetime:
    """The same instant in UTC, as messages and tables have it."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # at the edge of the calendar, and refused for it
        return moment


def _clean(text: str) -> str:
    """Text without NUL, which neither JSON viewers nor every BI tool survive."""
    return text.replace("\0", "") if "\0" in text else text
