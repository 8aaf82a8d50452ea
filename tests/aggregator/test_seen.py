"""Seen ids: a repeated id is found, a replayed message is not a repeat of itself, and what is old is forgotten."""

from __future__ import annotations

import gc
import re
import tracemalloc
from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.aggregator.seen import STRETCH_OFFSETS, SeenIds, Stretch, id_hash
from tests.aggregator.answers import NOW, answer

HOUR = timedelta(hours=1)


def seen_ids(ids: list[str], received_every: timedelta = timedelta(0)) -> SeenIds:
    """After messages with these ids, from offset 0 on."""
    seen = SeenIds()
    for offset, event_id in enumerate(ids):
        seen.is_repeat(answer(event_id, received_at=NOW + offset * received_every), offset)
    return seen


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40))
def test_an_id_is_a_repeat_when_an_earlier_message_had_it(ids: list[str]) -> None:
    seen = SeenIds()

    repeats = [seen.is_repeat(answer(event_id), offset) for offset, event_id in enumerate(ids)]

    assert repeats == [event_id in ids[:offset] for offset, event_id in enumerate(ids)]
    assert len(seen) == len(set(ids))


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40), st.integers(0, 40))
def test_a_replay_decides_as_the_first_time(ids: list[str], back_to: int) -> None:
    seen = SeenIds()
    first = [seen.is_repeat(answer(event_id), offset) for offset, event_id in enumerate(ids)]

    again = [
        seen.is_repeat(answer(ids[offset]), offset) for offset in range(min(back_to, len(ids)), len(ids))
    ]

    assert again == first[min(back_to, len(ids)) :]


def test_an_id_counts_within_its_touchpoint_and_workspace() -> None:
    seen = seen_ids(["e"])

    assert not seen.is_repeat(answer("e", touchpoint="app"), 1)
    assert not seen.is_repeat(answer("e", workspace="other"), 2)
    assert seen.is_repeat(answer("e", metric="nps", score=9), 3)


def test_names_that_run_together_are_told_apart() -> None:
    assert id_hash(answer("c", workspace="a", touchpoint="b")) != id_hash(
        answer("bc", workspace="a", touchpoint="")
    )


@given(st.lists(st.integers(0, 2000).map(str), max_size=3 * STRETCH_OFFSETS))
def test_packed_ids_are_the_ids_unpacked(ids: list[str]) -> None:
    seen, restored = seen_ids(ids), SeenIds()

    for stretch in {ids.index(event_id) // STRETCH_OFFSETS for event_id in set(ids)}:
        packed = msgspec.msgpack.encode(seen.pack(stretch))
        restored.unpack(stretch, msgspec.msgpack.decode(packed, type=Stretch))

    assert len(restored) == len(seen)
    for offset, event_id in enumerate(ids):
        assert restored.is_repeat(answer(event_id), offset) == (event_id in ids[:offset])


def test_a_packed_stretch_is_ten_bytes_an_id() -> None:
    packed = seen_ids([f"e{n}" for n in range(STRETCH_OFFSETS)]).pack(0)

    assert (len(packed.hashes), len(packed.places)) == (8 * STRETCH_OFFSETS, 2 * STRETCH_OFFSETS)
    assert packed.version == STRETCH_OFFSETS


def test_whole_stretches_are_forgotten_when_they_are_old_and_committed() -> None:
    ids = [f"e{n}" for n in range(3 * STRETCH_OFFSETS)]
    seen = seen_ids(ids, received_every=HOUR)
    second_begins = (NOW + STRETCH_OFFSETS * HOUR).timestamp()

    assert seen.forget_before(second_begins, committed=STRETCH_OFFSETS - 1) == []
    assert seen.forget_before(second_begins - 3600, committed=len(ids)) == []
    assert seen.forget_before(second_begins, committed=len(ids)) == [0]

    assert len(seen) == 2 * STRETCH_OFFSETS
    assert not seen.is_repeat(answer("e0"), len(ids))
    assert seen.is_repeat(answer(f"e{STRETCH_OFFSETS}"), len(ids) + 1)


def test_a_forgotten_id_that_came_again_is_not_forgotten_with_its_first_stretch() -> None:
    seen = seen_ids([f"e{n}" for n in range(STRETCH_OFFSETS)])
    seen.forget_before((NOW + HOUR).timestamp(), committed=STRETCH_OFFSETS)
    seen.is_repeat(answer("e0", received_at=NOW + 2 * HOUR), 9 * STRETCH_OFFSETS)

    assert seen.forget_before((NOW + HOUR).timestamp(), committed=10 * STRETCH_OFFSETS) == []
    assert seen.is_repeat(answer("e0"), 9 * STRETCH_OFFSETS + 1)


def test_of_an_id_in_two_restored_stretches_the_first_place_counts() -> None:
    first, later = seen_ids(["e"]).pack(0), seen_ids(["e"]).pack(0)
    restored = SeenIds()
    restored.unpack(0, Stretch(1, NOW.timestamp() + 9, first.hashes, first.places))
    restored.unpack(5, Stretch(5 * STRETCH_OFFSETS + 1, NOW.timestamp(), later.hashes, later.places))

    assert restored.forget_before(NOW.timestamp() + 5, committed=10 * STRETCH_OFFSETS) == [5]
    assert restored.is_repeat(answer("e"), 10 * STRETCH_OFFSETS)


def test_an_id_costs_as_much_memory_as_the_docstring_says() -> None:
    said = re.search(r"About (\d+) bytes\s+an id", SeenIds.__doc__ or "")
    assert said
    events = [answer(f"e{n}") for n in range(30_000)]
    gc.collect()
    tracemalloc.start()
    seen = SeenIds()
    for offset, event in enumerate(events):
        seen.is_repeat(event, offset)
    bytes_held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 0.8 * int(said[1]) < bytes_held / len(seen) < 1.2 * int(said[1])
