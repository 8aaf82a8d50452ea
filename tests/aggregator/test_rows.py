"""Rows: which table a message goes to, what is added to it, and what has no row at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.feedback import encode
from schemas.topics import ALERTS, EVENTS, PANES, REJECTED
from services.aggregator.rows import ROWS_AT_A_TIME, SOURCES, Batch, Row, Table, row_of
from tests.aggregator.answers import answer

PLACE = (3, 41)


@pytest.mark.parametrize(
    ("topic", "key", "table"),
    [
        (EVENTS.name, b"default/web", "events"),
        (PANES.name, b"1m/default/web/csat/60/0", "panes_1m"),
        (PANES.name, b"1h/default/web/csat/3600/0", "panes_1h"),
        (ALERTS.name, b"default/a1", "alerts"),
        (REJECTED.name, b"feedback.events/3/41", "rejected"),
    ],
)
def test_each_topic_has_its_table(topic: str, key: bytes, table: Table) -> None:
    row = row_of(topic, *PLACE, key, encode(answer("e1")))

    assert row is not None
    assert (row.table, row.topic, row.partition, row.offset) == (table, topic, *PLACE)


@pytest.mark.parametrize("topic", [EVENTS.name, ALERTS.name])
@pytest.mark.parametrize("message", [encode(answer("e1", comment='"}')), encode(answer("e1")) + b" \n"])
def test_where_a_message_was_read_from_is_added_to_it(topic: str, message: bytes) -> None:
    row = row_of(topic, *PLACE, b"key", message)

    assert row is not None
    assert json.loads(row.json) == {**json.loads(message), "src_partition": 3, "src_offset": 41}


@pytest.mark.parametrize("topic", [PANES.name, REJECTED.name])
def test_what_names_its_source_itself_is_copied_as_it_is(topic: str) -> None:
    row = row_of(topic, *PLACE, b"1m/x", b'{"src_partition":3}')

    assert row is not None
    assert row.json == b'{"src_partition":3}'


@pytest.mark.parametrize("value", [b"{", b"null", b'{"score":3}', encode(answer("e1", score=9))])
def test_what_the_windows_worker_refuses_has_no_row(value: bytes) -> None:
    assert row_of(EVENTS.name, *PLACE, b"key", value) is None


@pytest.mark.parametrize("topic", [topic.name for topic in SOURCES])
def test_a_tombstone_has_no_row(topic: str) -> None:
    assert row_of(topic, *PLACE, b"key", None) is None


positions = st.tuples(st.sampled_from([EVENTS.name, ALERTS.name]), st.integers(0, 3), st.integers(0, 50))


def batch_of(places: list[tuple[str, int, int]], json: bytes = b"{}") -> Batch:
    return Batch([Row("events", json, *place) for place in places])


@given(st.lists(positions, min_size=1, unique=True))
def test_a_token_depends_on_the_rows_only(places: list[tuple[str, int, int]]) -> None:
    in_order = sorted(places, key=lambda place: place[2])

    assert batch_of(in_order).token() == batch_of(list(in_order)).token()
    if len(in_order) > 1:
        assert batch_of(in_order).token() != batch_of(in_order[:-1]).token()
        assert batch_of(in_order).token() != batch_of(in_order[1:]).token()


def test_a_token_does_not_depend_on_how_partitions_took_turns() -> None:
    by_turns = [(EVENTS.name, 0, 5), (EVENTS.name, 1, 8), (EVENTS.name, 0, 6), (EVENTS.name, 1, 9)]
    one_by_one = sorted(by_turns)

    assert batch_of(by_turns).token() == batch_of(one_by_one).token()


@given(st.lists(positions, min_size=2, unique=True))
def test_halves_are_the_batch(places: list[tuple[str, int, int]]) -> None:
    batch = batch_of(places)
    first, second = batch.halves()

    assert first.rows + second.rows == batch.rows
    assert first.rows
    assert 0 <= len(second.rows) - len(first.rows) <= 1


@pytest.mark.parametrize("count", [0, 1, 2, ROWS_AT_A_TIME, ROWS_AT_A_TIME + 1, 3 * ROWS_AT_A_TIME - 1])
def test_a_body_has_one_row_a_line(count: int) -> None:
    batch = Batch([Row("events", b'{"n":%d}' % n, EVENTS.name, 0, n) for n in range(count)])

    body = b"".join(batch.body())

    assert [json.loads(line) for line in body.splitlines()] == [{"n": n} for n in range(count)]
    assert len(body) == batch.size()
