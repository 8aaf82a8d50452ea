"""Reading feedback.state: the highest version wins, in whatever order old and new workers wrote."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from services.aggregator.kafka import StateLog
from services.aggregator.records import Mark, version_of

KEY = b"mark/7"
ORDERS = list(permutations([1, 2, 3]))


def record(version: int) -> bytes:
    return msgspec.msgpack.encode(Mark(version, 0.0))


@pytest.mark.parametrize("order", ORDERS)
def test_the_highest_version_wins_in_any_order(order: tuple[int, ...]) -> None:
    log = StateLog()
    for version in order:
        log.take(0, KEY, record(version))

    assert log.newest[0][KEY] == record(3)
    assert version_of(log.newest[0][KEY]) == 3


@pytest.mark.parametrize("order", ORDERS)
def test_a_key_is_stale_when_its_last_record_is_not_the_newest(order: tuple[int, ...]) -> None:
    log = StateLog()
    for version in order:
        log.take(0, KEY, record(version))

    assert log.stale == (set() if order[-1] == 3 else {(0, KEY)})


def test_of_equal_versions_the_last_one_wins() -> None:
    log = StateLog()
    log.take(0, KEY, msgspec.msgpack.encode(Mark(2, 1.0)))
    log.take(0, KEY, msgspec.msgpack.encode(Mark(2, 5.0)))

    assert log.newest[0][KEY] == msgspec.msgpack.encode(Mark(2, 5.0))
    assert log.stale == set()


def test_a_tombstone_forgets_the_key_and_that_it_was_stale() -> None:
    log = StateLog()
    log.take(0, KEY, record(2))
    log.take(0, KEY, record(1))
    log.take(0, KEY, None)

    assert (log.newest, log.stale) == ({0: {}}, set())


def test_a_tombstone_for_what_is_not_there_is_no_matter() -> None:
    log = StateLog()
    log.take(0, KEY, None)

    assert (log.newest, log.stale) == ({0: {}}, set())


def test_partitions_have_keys_of_their_own() -> None:
    log = StateLog()
    log.take(0, KEY, record(2))
    log.take(1, KEY, record(1))

    assert log.newest == {0: {KEY: record(2)}, 1: {KEY: record(1)}}
    assert log.stale == set()
