"""Seen ids: a repeated id is found, a replayed message is not a repeat of itself, and what is old is forgotten."""

from __future__ import annotations

import gc
import re
import tracemalloc
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregator.seen import Judgement, SeenIds, Stretch, scope_of
from services.aggregator.standing import STRETCH_OFFSETS
from tests.aggregator.answers import NOW, answer

SCOPE = scope_of("default", "web.checkout", "csat")
HOUR = timedelta(hours=1)
DAY_SECONDS = 86_400.0
LONG = 3000


def judged(seen: SeenIds, event_id: str, offset: int, after: timedelta = timedelta(0)) -> Judgement:
    """What a message with this id is, when it arrives so long after NOW."""
    received = NOW + after
    event = answer(event_id, received_at=received, occurred_at=NOW - HOUR)
    return seen.judge(event, SCOPE, offset, received.timestamp())


def seen_ids(ids: list[str], received_every: timedelta = timedelta(0)) -> SeenIds:
    """After messages with these ids, from offset 0 on."""
    seen = SeenIds(DAY_SECONDS)
    for offset, event_id in enumerate(ids):
        judged(seen, event_id, offset, offset * received_every)
    return seen


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40))
def test_an_id_is_a_repeat_when_an_earlier_message_had_it(ids: list[str]) -> None:
    seen = SeenIds(DAY_SECONDS)

    repeats = [judged(seen, event_id, offset) is Judgement.REPEAT for offset, event_id in enumerate(ids)]

    assert repeats == [event_id in ids[:offset] for offset, event_id in enumerate(ids)]
    assert len(seen) == len(set(ids))


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40), st.integers(0, 40), st.sampled_from([0, 5, 30]))
def test_a_replay_decides_as_the_first_time(ids: list[str], back_to: int, hours: int) -> None:
    seen = SeenIds(DAY_SECONDS)
    first = [judged(seen, event_id, n, n * hours * HOUR) for n, event_id in enumerate(ids)]

    again = [judged(seen, ids[n], n, n * hours * HOUR) for n in range(min(back_to, len(ids)), len(ids))]

    assert again == first[min(back_to, len(ids)) :]


def test_an_id_counts_within_its_touchpoint_and_workspace() -> None:
    seen, at = seen_ids(["e"]), NOW.timestamp()

    scopes = [scope_of("default", "app", "csat"), scope_of("other", "web.checkout", "csat")]
    assert [seen.judge(answer("e"), scope, 1, at) for scope in scopes] == [Judgement.NEW] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"score": 1},
        {"metric": "nps", "score": 9},
        {"comment": "x"},
        {"customer_id": "x"},
        {"interaction_id": "x"},
    ],
)
def test_the_same_id_with_another_body_is_a_conflict(change: dict[str, object]) -> None:
    seen = seen_ids(["e"])

    event = answer("e", occurred_at=NOW - HOUR, **change)
    scope = scope_of(event.workspace, event.touchpoint, event.metric)
    assert seen.judge(event, scope, 1, NOW.timestamp()) is Judgement.CONFLICT
    assert judged(seen, "e", 2) is Judgement.REPEAT


def test_a_retry_is_no_conflict_though_it_arrives_later() -> None:
    seen = SeenIds(DAY_SECONDS)
    for offset, after in enumerate((timedelta(0), HOUR)):
        event = answer("e", received_at=NOW + after, occurred_at=NOW + after)
        judgement = seen.judge(event, SCOPE, offset, event.received_at.timestamp())

    assert judgement is Judgement.REPEAT


def test_names_that_run_together_are_told_apart() -> None:
    assert len({scope_of("a", "b", "csat").touchpoint, scope_of("a.b", "", "csat").touchpoint}) == 2
    assert scope_of("a", "b", "csat").touchpoint == scope_of("a", "b", "nps").touchpoint
    assert scope_of("a", "b", "csat").question != scope_of("a", "b", "nps").question


@given(st.lists(st.integers(0, 2000).map(str), max_size=3 * STRETCH_OFFSETS))
def test_packed_ids_are_the_ids_unpacked(ids: list[str]) -> None:
    seen, restored = seen_ids(ids), SeenIds(DAY_SECONDS)

    for stretch in {ids.index(event_id) // STRETCH_OFFSETS for event_id in set(ids)}:
        packed = msgspec.msgpack.encode(seen.pack(stretch, []))
        restored.unpack(stretch, msgspec.msgpack.decode(packed, type=Stretch))

    assert len(restored) == len(seen)
    for offset, event_id in enumerate(ids):
        assert (judged(restored, event_id, offset) is Judgement.REPEAT) == (event_id in ids[:offset])


def test_a_packed_stretch_is_sixteen_bytes_an_id() -> None:
    packed = seen_ids([f"e{n}" for n in range(STRETCH_OFFSETS)]).pack(0, [])

    assert [len(column) for column in (packed.hashes, packed.entries)] == [8 * STRETCH_OFFSETS] * 2
    assert packed.version == STRETCH_OFFSETS


def test_whole_stretches_are_forgotten_when_they_are_old_and_committed() -> None:
    ids = [f"e{n}" for n in range(3 * STRETCH_OFFSETS)]
    seen = seen_ids(ids, received_every=HOUR)
    first_ends = (NOW + (STRETCH_OFFSETS - 1) * HOUR).timestamp() + DAY_SECONDS

    assert seen.forget(first_ends + 1, committed=STRETCH_OFFSETS - 1) == []
    assert seen.forget(first_ends, committed=len(ids)) == []
    assert seen.forget(first_ends + 1, committed=len(ids)) == [0]

    assert len(seen) == 2 * STRETCH_OFFSETS
    assert judged(seen, "e0", len(ids), len(ids) * HOUR) is Judgement.NEW
    assert judged(seen, ids[-1], len(ids) + 1, len(ids) * HOUR) is Judgement.REPEAT


def test_an_id_is_known_for_a_day_whether_it_has_been_forgotten_or_not() -> None:
    ids = ["e", *(f"other{n}" for n in range(STRETCH_OFFSETS))]
    for forgotten in (False, True):
        seen = seen_ids(ids)
        if forgotten:
            assert seen.forget(NOW.timestamp() + DAY_SECONDS + 1, committed=LONG) == [0, 1]
        assert judged(seen, "e", LONG, timedelta(hours=25)) is Judgement.NEW
        assert judged(seen, "e", LONG + 1, timedelta(hours=26)) is Judgement.REPEAT


def test_an_id_that_came_again_after_a_day_is_not_forgotten_with_its_first_stretch() -> None:
    seen = seen_ids(["e"])
    judged(seen, "e", LONG, timedelta(hours=25))

    assert seen.forget(NOW.timestamp() + DAY_SECONDS + 1, committed=2 * LONG) == [0]
    assert judged(seen, "e", LONG + 1, timedelta(hours=26)) is Judgement.REPEAT


def test_a_restored_worker_knows_both_times_an_id_was_counted() -> None:
    seen = seen_ids(["e"])
    judged(seen, "e", LONG, timedelta(hours=25))
    restored = SeenIds(DAY_SECONDS)
    for stretch in (LONG // STRETCH_OFFSETS, 0):
        restored.unpack(stretch, seen.pack(stretch, []))

    assert judged(restored, "e", 1, timedelta(hours=1)) is Judgement.REPEAT
    assert judged(restored, "e", LONG, timedelta(hours=25)) is Judgement.NEW
    assert judged(restored, "e", LONG + 1, timedelta(hours=26)) is Judgement.REPEAT


def test_an_id_costs_as_much_memory_as_the_docstring_says() -> None:
    said = re.search(r"About (\d+) bytes\s+an id", SeenIds.__doc__ or "")
    assert said
    events = [answer(f"e{n}") for n in range(30_000)]
    gc.collect()
    tracemalloc.start()
    seen = SeenIds(DAY_SECONDS)
    for offset, event in enumerate(events):
        seen.judge(event, SCOPE, offset, NOW.timestamp())
    bytes_held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 0.8 * int(said[1]) < bytes_held / len(seen) < 1.2 * int(said[1])
