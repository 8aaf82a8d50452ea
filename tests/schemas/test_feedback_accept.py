"""What is posted becomes an event, or a refusal with the right reason word that repeats nothing of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.feedback import Event, accept, decode, encode
from schemas.rejections import REASONS, Reason, Rejected
from tests.schemas.answers import ARRIVAL, HISTORY, NOW, VALID, posted_answers

SECRET = "s3cret"


def posted(**changes: Any) -> bytes:
    """A valid answer with some fields changed; None leaves a field out."""
    return json.dumps({k: v for k, v in {**VALID, **changes}.items() if v is not None}).encode()


REFUSED: list[tuple[bytes, Reason]] = [
    (b"", Reason.JSON_INVALID),
    (b"{", Reason.JSON_INVALID),
    (b"\xff\xfe", Reason.JSON_INVALID),
    (posted()[:-1] + b',"comment":"\\ud800"}', Reason.JSON_INVALID),
    (b"[]", Reason.NOT_AN_OBJECT),
    (b"[" * 100_000, Reason.NOT_AN_OBJECT),
    (b'"s3cret"', Reason.NOT_AN_OBJECT),
    (posted(touchpoint=None), Reason.FIELD_MISSING),
    (posted(metric=None), Reason.FIELD_MISSING),
    (posted(score=None), Reason.FIELD_MISSING),
    (posted(s3cret=1), Reason.FIELD_UNKNOWN),
    (posted(**{"missing required field `s3cret`": 1}), Reason.FIELD_UNKNOWN),
    (posted(workspace="s3cret"), Reason.FIELD_UNKNOWN),
    (posted(comment=7), Reason.FIELD_INVALID),
    (posted(comment="s3cret" * 1000), Reason.FIELD_INVALID),
    (posted(tags={"s3cret" * 20: "x"}), Reason.FIELD_INVALID),
    (posted(tags={"s3cret": 1}), Reason.FIELD_INVALID),
    (posted(tags={f"s3cret{n}": "" for n in range(17)}), Reason.FIELD_INVALID),
    (posted(touchpoint="S3cret shop"), Reason.TOUCHPOINT_INVALID),
    (posted(touchpoint="s3cret\n"), Reason.TOUCHPOINT_INVALID),
    (posted(touchpoint="s" * 65), Reason.TOUCHPOINT_INVALID),
    (posted(metric="s3cret"), Reason.METRIC_UNKNOWN),
    (posted(metric="missing required field `s3cret`"), Reason.METRIC_UNKNOWN),
    (posted(metric="unknown field"), Reason.METRIC_UNKNOWN),
    (posted(metric="s3cret' - at `$.score`"), Reason.METRIC_UNKNOWN),
    (posted(score="5"), Reason.SCORE_INVALID),
    (posted(score=4.0), Reason.SCORE_INVALID),
    (posted(score=True), Reason.SCORE_INVALID),
    (posted(score=0), Reason.SCORE_OUT_OF_RANGE),
    (posted(score=6), Reason.SCORE_OUT_OF_RANGE),
    (posted(score=10**30), Reason.SCORE_OUT_OF_RANGE),
    (posted(metric="ces", score=8), Reason.SCORE_OUT_OF_RANGE),
    (posted(metric="nps", score=-1), Reason.SCORE_OUT_OF_RANGE),
    (posted(event_id=""), Reason.EVENT_ID_INVALID),
    (posted(event_id="s3cret id"), Reason.EVENT_ID_INVALID),
    (posted(event_id="x" * 65), Reason.EVENT_ID_INVALID),
    (posted(occurred_at="2026-03-01T12:00:00"), Reason.OCCURRED_AT_INVALID),
    (posted(occurred_at="yesterday, s3cret"), Reason.OCCURRED_AT_INVALID),
    (posted(occurred_at=1772366400), Reason.OCCURRED_AT_INVALID),
    (posted(occurred_at="2026-03-01T12:05:00.001Z"), Reason.IN_THE_FUTURE),
    (posted(occurred_at="9999-12-31T23:59:59-23:59"), Reason.IN_THE_FUTURE),
    (posted(occurred_at="2026-02-22T11:59:59.999Z"), Reason.TOO_LATE),
    (posted(occurred_at="0001-01-01T00:00:00+23:59"), Reason.TOO_LATE),
]


@pytest.mark.parametrize(("raw", "reason"), REFUSED, ids=lambda case: str(case)[:50])
def test_what_cannot_be_counted_is_refused_with_its_reason(raw: bytes, reason: Reason) -> None:
    refused = accept(raw, ARRIVAL)

    assert isinstance(refused, Rejected)
    assert refused.reason == reason
    assert refused.detail
    assert SECRET not in refused.detail.lower()


def test_every_reason_that_an_answer_can_have_is_tried_here() -> None:
    of_an_answer = list(Reason)[: list(Reason).index(Reason.TOO_LATE) + 1]

    assert {reason for _, reason in REFUSED} == set(of_an_answer)


@given(field=st.sampled_from(list(VALID)), value=st.text(min_size=1), name=st.text(max_size=30))
def test_a_refusal_never_repeats_what_was_posted(field: str, value: str, name: str) -> None:
    wrong_value = posted(**{"score": "x", field: f"{value}`{SECRET}`"})
    wrong_name = posted(**{f"{name}`{SECRET}`": 1})

    for raw in (wrong_value, wrong_name):
        refused = accept(raw, ARRIVAL)
        assert isinstance(refused, Rejected)
        assert SECRET not in refused.detail


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(raw: bytes) -> None:
    assert isinstance(accept(raw, ARRIVAL), Event | Rejected)
    assert isinstance(decode(raw), Event | Rejected)


@given(posted_answers())
def test_an_accepted_answer_decodes_to_itself(answer: dict[str, Any]) -> None:
    event = accept(json.dumps(answer).encode(), ARRIVAL)

    assert isinstance(event, Event), event
    assert decode(encode(event)) == event


@given(posted_answers())
def test_an_event_has_what_was_posted_but_for_nul(answer: dict[str, Any]) -> None:
    event = accept(json.dumps(answer).encode(), ARRIVAL)

    assert isinstance(event, Event), event
    assert (event.touchpoint, event.metric, event.score) == tuple(answer[name] for name in VALID)
    assert event.event_id == answer.get("event_id", "made-by-the-server")
    assert event.comment == answer.get("comment", "").replace("\0", "")
    assert event.occurred_at == datetime.fromisoformat(answer.get("occurred_at", NOW.isoformat()))
    assert event.occurred_at.tzinfo is UTC


def test_an_answer_says_neither_whose_it_is_nor_when_it_came() -> None:
    event = accept(posted(), ARRIVAL)

    assert isinstance(event, Event)
    assert (event.workspace, event.received_at, event.imported) == ("default", NOW, False)


def test_limits_of_time_are_inclusive() -> None:
    assert isinstance(accept(posted(occurred_at="2026-03-01T12:05:00Z"), ARRIVAL), Event)
    assert isinstance(accept(posted(occurred_at="2026-02-22T12:00:00Z"), ARRIVAL), Event)


def test_history_may_be_old_but_not_older_than_the_oldest() -> None:
    old = accept(posted(occurred_at="2000-01-01T00:00:00Z"), HISTORY)
    older = accept(posted(occurred_at="1999-12-31T23:59:59Z"), HISTORY)

    assert isinstance(old, Event)
    assert old.imported
    assert isinstance(older, Rejected)
    assert (older.reason, older.detail) == (Reason.TOO_LATE, "history before 2000 is not kept")


def test_a_refusal_says_what_its_reason_means_when_there_is_no_more_to_say() -> None:
    refused = accept(posted(score=9), ARRIVAL)

    assert refused == Rejected(Reason.SCORE_OUT_OF_RANGE, REASONS[Reason.SCORE_OUT_OF_RANGE])
