"""The fold of one partition: what becomes of each message, one by one."""

from __future__ import annotations

from datetime import timedelta

from schemas.feedback import encode
from schemas.rejections import Reason
from services.aggregator import records
from services.aggregator.counts import UNITS
from services.aggregator.letters import PAYLOAD_KEPT
from services.aggregator.panes import PaneId, SeriesId, pane_start, segment_of
from services.aggregator.partition import Outcome, Partition
from tests.aggregator.answers import NOW, answer

SERIES = SeriesId("default", "web.checkout", "csat")
LOGGED_AT = NOW.timestamp() + 1


def folded(*messages: bytes | None) -> tuple[Partition, list[Outcome]]:
    """A new partition after these messages, and what became of each."""
    partition = Partition(3, 0)
    return partition, [partition.apply(offset, m, LOGGED_AT) for offset, m in enumerate(messages)]


def test_an_answer_is_counted_and_a_repeat_is_not() -> None:
    message = encode(answer("e1"))
    partition, outcomes = folded(
        message, message, encode(answer("e1", comment="the same id")), encode(answer("e2"))
    )

    assert outcomes == ["counted", "duplicate", Reason.CONFLICTING_DUPLICATE, "counted"]
    assert list(partition.series[SERIES].minutes.counts.values()) == [2 * UNITS[4]]
    assert partition.next == 4


def test_a_message_that_is_read_again_changes_nothing() -> None:
    messages = [encode(answer(f"e{n}", score=1)) for n in range(5)]
    partition, _ = folded(*messages)
    partition.take_outputs()
    state = list(records.state(partition))
    restored = Partition(3, 0)
    records.restore(restored, iter((record.key, record.value or b"") for record in state))
    restored.rebuild_windows(int(NOW.timestamp()))

    again = [restored.apply(offset, message, LOGGED_AT) for offset, message in enumerate(messages)]

    assert again == ["replayed"] * 5
    assert restored.take_outputs().signals == []
    assert list(restored.series[SERIES].hours.counts.values()) == [5 * UNITS[1]]
    assert restored.series[SERIES].rolling.totals == [5 * UNITS[1]] * 4


def test_a_bad_answer_is_signalled_unless_it_is_history() -> None:
    live, imported = encode(answer("e1", score=1)), encode(answer("e2", score=1, imported=True))
    partition, outcomes = folded(live, imported, encode(answer("e3", score=3)))

    assert outcomes == ["counted"] * 3
    assert [signal.contact.event_id for signal in partition.take_outputs().signals] == ["e1"]


def test_what_cannot_be_counted_becomes_a_dead_letter_that_names_its_message() -> None:
    partition, outcomes = folded(encode(answer("e1", score=9)), b"\xff" * (2 * PAYLOAD_KEPT), None)

    letters = partition.take_outputs().dead_letters
    assert outcomes == [Reason.SCORE_OUT_OF_RANGE, Reason.JSON_INVALID, Reason.JSON_INVALID]
    assert [(letter.src_partition, letter.src_offset) for letter in letters] == [(3, 0), (3, 1), (3, 2)]
    assert [len(letter.payload) for letter in letters] == [
        len(encode(answer("e1", score=9))),
        PAYLOAD_KEPT,
        0,
    ]
    assert letters[0].rejected_at == NOW + timedelta(seconds=1)


def test_an_answer_too_late_for_the_minutes_in_memory_is_counted_in_a_segment() -> None:
    occurred = NOW - timedelta(hours=27)
    partition, _ = folded(encode(answer("e1")), encode(answer("e2", occurred_at=occurred)))

    start = pane_start("1m", occurred.timestamp())
    cold = PaneId(SERIES, "1m", start, segment_of(1))
    assert partition.cold == {cold: UNITS[4]}
    assert start not in partition.series[SERIES].minutes.counts
    assert pane_start("1h", occurred.timestamp()) in partition.series[SERIES].hours.counts


def test_silence_empties_the_windows_and_says_whose_scores_changed() -> None:
    partition, _ = folded(encode(answer("e1")))
    partition.take_outputs()

    partition.advance(int(NOW.timestamp()) + 299)
    before = partition.take_outputs().scores
    partition.advance(int(NOW.timestamp()) + 300)

    assert (before, [series.id for series in partition.take_outputs().scores]) == ([], [SERIES])


def test_a_forgotten_pane_leaves_its_windows_even_if_the_clock_is_hours_behind() -> None:
    later = NOW + timedelta(hours=25, minutes=2)
    partition, _ = folded(encode(answer("e1")), encode(answer("e2", occurred_at=later, received_at=later)))
    partition.take_outputs()
    partition.take_unsaved()
    partition.note_commit(2)

    partition.advance(int((later - timedelta(hours=2)).timestamp()))
    partition.forget()
    partition.advance(int((later + timedelta(days=30)).timestamp()))

    assert set(partition.series[SERIES].rolling.totals) == {0}


def test_a_later_answer_to_the_same_question_replaces_the_earlier() -> None:
    first, second = answer("e1", score=1, interaction_id="i"), answer("e2", score=5, interaction_id="i")
    other = answer("e3", metric="nps", score=9, interaction_id="i")

    partition, outcomes = folded(encode(first), encode(second), encode(other))

    assert outcomes == ["counted"] * 3
    partition.advance(int(NOW.timestamp()))
    assert list(partition.series[SERIES].hours.counts.values()) == [UNITS[5]]
    assert partition.series[SERIES].rolling.totals == [UNITS[5]] * 4
    assert [(gone.event_id, gone.src_offset) for gone in partition.take_outputs().replaced] == [("e1", 0)]


def test_the_same_answer_again_replaces_nothing() -> None:
    first, second = answer("e1", score=1, interaction_id="i"), answer("e2", score=5, interaction_id="i")

    partition, outcomes = folded(encode(first), encode(second), encode(first))

    assert outcomes == ["counted", "counted", "duplicate"]
    assert len(partition.take_outputs().replaced) == 1
