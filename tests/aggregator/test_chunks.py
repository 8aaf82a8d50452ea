"""Chunks: Faust is handed lists of at most 500 records of one partition, in order, none lost, by turns."""

from __future__ import annotations

from itertools import groupby

from aiokafka import ConsumerRecord
from faust.types import TP
from hypothesis import example, given
from hypothesis import strategies as st

from services.aggregator.chunks import CHUNK_RECORDS, ChunkScheduler

Poll = dict[TP, list[ConsumerRecord]]


def poll(sizes: list[int]) -> Poll:
    """What one poll returned: so many records of partition 0, 1, ..."""
    return {
        TP("t", number): [record(number, offset) for offset in range(size)]
        for number, size in enumerate(sizes)
    }


def record(partition: int, offset: int) -> ConsumerRecord:
    return ConsumerRecord("t", partition, offset, 1000 + offset, 0, None, b"value", None, 0, 5, ())


@given(st.lists(st.integers(0, 1300) | st.sampled_from([499, 500, 501, 1000, 1001]), max_size=5))
@example([501])
def test_nothing_is_lost_and_each_partition_stays_in_order(sizes: list[int]) -> None:
    polled = poll(sizes)
    delivered: Poll = {tp: [] for tp in polled}

    for tp, chunk in ChunkScheduler().iterate(polled):
        assert 0 < len(chunk.value) <= CHUNK_RECORDS
        delivered[tp] += chunk.value

    assert delivered == polled


@given(st.lists(st.integers(0, 2600), max_size=4))
def test_partitions_take_turns(sizes: list[int]) -> None:
    turns = [tp.partition for tp, _ in ChunkScheduler().iterate(poll(sizes))]
    needed = [-(-size // CHUNK_RECORDS) for size in sizes]

    while_both_have_some = turns[: sum(needed)]

    assert len(turns) == sum(needed)
    for number, chunks in enumerate(needed):
        for other, other_chunks in enumerate(needed):
            shared = min(chunks, other_chunks)
            pair = [turn for turn in while_both_have_some if turn in (number, other)][: 2 * shared]
            longest_run = max((len(list(run)) for _, run in groupby(pair)), default=0)
            assert number == other or longest_run <= 1


def test_a_chunk_looks_like_its_last_record() -> None:
    [(tp, chunk)] = ChunkScheduler().iterate(poll([3]))

    assert (tp.topic, tp.partition) == (chunk.topic, chunk.partition) == ("t", 0)
    assert (chunk.offset, chunk.timestamp) == (2, 1002)
    assert chunk.key is None


def test_an_empty_poll_has_no_chunks() -> None:
    assert list(ChunkScheduler().iterate({})) == list(ChunkScheduler().iterate(poll([0, 0]))) == []
