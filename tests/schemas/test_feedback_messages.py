"""Messages of feedback.events: what is written is read back, and what is not an event is refused, never raised."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.feedback import Event, EventId, Slug, decode, encode, topic_key
from schemas.rejections import Reason, Rejected
from tests.schemas.answers import NOW

EVENT = Event(
    workspace="default",
    touchpoint="web.checkout",
    metric="nps",
    score=9,
    event_id="e1",
    occurred_at=NOW - timedelta(seconds=3),
    received_at=NOW,
)
TEXT_FIELDS = ("interaction_id", "customer_id", "channel", "agent", "team", "locale", "comment", "page_url")


@given(st.fixed_dictionaries(dict.fromkeys(TEXT_FIELDS, st.text())), st.dictionaries(st.text(), st.text()))
def test_any_text_survives_the_topic(texts: dict[str, str], tags: dict[str, str]) -> None:
    event = replace(EVENT, tags=tags, **texts)

    assert decode(encode(event)) == event


def test_a_message_has_no_fields_that_say_nothing() -> None:
    assert json.loads(encode(EVENT)) == {
        "workspace": "default",
        "touchpoint": "web.checkout",
        "metric": "nps",
        "score": 9,
        "event_id": "e1",
        "occurred_at": "2026-03-01T11:59:57Z",
        "received_at": "2026-03-01T12:00:00Z",
    }


def test_a_message_of_a_newer_version_may_have_more_fields() -> None:
    assert decode(encode(EVENT)[:-1] + b',"sentiment":"calm"}') == EVENT


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.JSON_INVALID),
        (b"", Reason.JSON_INVALID),
        (b"\xff", Reason.JSON_INVALID),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"{}", Reason.FIELD_MISSING),
        (encode(replace(EVENT, score=11)), Reason.SCORE_OUT_OF_RANGE),
        (encode(replace(EVENT, workspace="Not a slug")), Reason.FIELD_INVALID),
        (encode(replace(EVENT, touchpoint="Not a slug")), Reason.TOUCHPOINT_INVALID),
        (encode(replace(EVENT, event_id="not an id")), Reason.EVENT_ID_INVALID),
        (encode(replace(EVENT, occurred_at=NOW - timedelta(days=8))), Reason.TOO_LATE),
        (encode(replace(EVENT, occurred_at=NOW + timedelta(minutes=6))), Reason.IN_THE_FUTURE),
    ],
)
def test_what_is_not_an_event_is_refused(value: bytes | None, reason: Reason) -> None:
    refused = decode(value)

    assert isinstance(refused, Rejected)
    assert refused.reason == reason


names = st.text("az09AZ._-~! /\n\0é", max_size=66) | st.sampled_from(
    ["a" * 64, "a" * 65, "a\n", "\na", "~" * 64]
)


@given(names, names, names)
def test_names_are_held_to_their_types(workspace: str, touchpoint: str, event_id: str) -> None:
    event = replace(EVENT, workspace=workspace, touchpoint=touchpoint, event_id=event_id)
    right = fits(workspace, Slug) and fits(touchpoint, Slug) and fits(event_id, EventId)

    assert isinstance(decode(encode(event)), Event) == right


def fits(text: str, type_: object) -> bool:
    """Whether text is of a type, as posted answers are held to it."""
    try:
        msgspec.convert(text, type_)
    except msgspec.ValidationError:
        return False
    return True


def test_history_may_be_late() -> None:
    event = replace(EVENT, occurred_at=NOW - timedelta(days=400), imported=True)

    assert decode(encode(event)) == event


def test_all_answers_of_a_touchpoint_have_one_key() -> None:
    assert topic_key("default", "web.checkout") == b"default/web.checkout"
