"""Dead letters judged again: what can go back, what cannot, and what must not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from deploy.replay.letters import REPLAYABLE, Pile, Wanted
from deploy.replay.repairs import read_repairs, write_repairs
from deploy.replay.run import cautions
from deploy.up.failure import Failure
from schemas.feedback import Event, encode
from schemas.rejections import DeadLetter, Reason
from tests.aggregator.answers import NOW, answer

GOOD = encode(answer("e1")).decode()
BAD = encode(answer("e2", score=9)).decode()


def letter(offset: int, payload: str, reason: Reason = Reason.FIELD_INVALID, **changes: str) -> DeadLetter:
    return DeadLetter(
        workspace="",
        reason=reason,
        detail="as it was",
        src_topic=changes.get("topic", "feedback.events"),
        src_partition=3,
        src_offset=offset,
        rejected_at=NOW + timedelta(hours=offset),
        payload=payload,
    )


def name(one: DeadLetter) -> str:
    return f"{one.src_topic}/{one.src_partition}/{one.src_offset}"


def piled(*letters: DeadLetter | str, wanted: Wanted | None = None) -> Pile:
    """A pile of letters, and of the marks of those that are named."""
    pile = Pile(wanted or Wanted())
    for one in letters:
        key = one if isinstance(one, str) else name(one)
        pile.take(3, key.encode(), None if isinstance(one, str) else msgspec.json.encode(one))
    return pile


def ready(pile: Pile) -> list[Event]:
    return [event for event, _ in pile.ready.values()]


def test_what_can_be_read_now_is_ready_and_the_rest_says_what_is_wrong_now() -> None:
    pile = piled(letter(1, GOOD), letter(2, BAD), letter(3, "{"))

    assert ready(pile) == [answer("e1")]
    assert pile.still_refused() == {Reason.SCORE_OUT_OF_RANGE: 1, Reason.JSON_INVALID: 1}


def test_a_letter_that_is_there_twice_is_one() -> None:
    assert len(piled(letter(1, GOOD), letter(1, GOOD)).keys) == 1


@pytest.mark.parametrize("again", [True, False])
def test_what_was_replayed_is_not_replayed_again(again: bool) -> None:
    once = letter(1, GOOD)
    pile = piled(once, name(once), once) if again else piled(name(once), once)

    assert (ready(pile), pile.done) == ([], {name(once)})


def test_what_was_counted_is_settled() -> None:
    refused_row = letter(1, GOOD, Reason.ROW_REFUSED)
    conflicting = letter(4, GOOD, Reason.CONFLICTING_DUPLICATE)
    of_another_topic = letter(2, GOOD, topic="feedback.panes")

    pile = piled(refused_row, conflicting, of_another_topic)
    assert (ready(pile), len(pile.settled)) == ([], 3)
    assert Reason.ROW_REFUSED not in REPLAYABLE


def test_bytes_that_were_replaced_are_not_what_was_sent() -> None:
    payload = encode(answer("e1", comment="M\N{REPLACEMENT CHARACTER}ller")).decode()
    pile = piled(letter(1, payload, Reason.JSON_INVALID))

    assert (ready(pile), pile.still_refused()) == ([], {Reason.JSON_INVALID: 1})


def test_reason_and_time_choose() -> None:
    letters = [letter(1, GOOD), letter(2, GOOD, Reason.TOO_LATE), letter(3, GOOD)]

    assert len(piled(*letters, wanted=Wanted(reason=Reason.TOO_LATE)).ready) == 1
    assert len(piled(*letters, wanted=Wanted(since=NOW + timedelta(hours=2))).ready) == 2


def test_a_message_that_is_no_letter_is_told_apart() -> None:
    pile = Pile(Wanted())
    pile.take(0, b"k", b"\xff")
    pile.take(0, None, b"{}")

    assert (pile.foreign, pile.keys) == (2, set())


def test_an_export_is_repaired_and_given_back(tmp_path: Path) -> None:
    file = tmp_path / "refused.jsonl"
    letters = [letter(1, BAD), letter(2, '{"a": "ü'), letter(3, BAD)]
    write_repairs(file, piled(*letters).refused)
    first, second, _ = file.read_text().splitlines()
    file.write_text(first.replace('"score":9', '"score":4') + "\n\n" + second + "\n")

    pile = piled(*letters, wanted=Wanted(repaired=read_repairs(file)))

    assert ready(pile) == [answer("e2", score=4)]
    assert list(pile.refused) == [name(letters[1])]
    assert pile.unknown() == []


def test_a_repair_of_a_letter_that_is_not_there_is_told() -> None:
    wanted = Wanted(repaired={"feedback.events/0/7": GOOD.encode()})

    assert piled(letter(1, GOOD), wanted=wanted).unknown() == ["feedback.events/0/7"]


def test_a_file_that_is_no_export_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "other.jsonl"
    file.write_text('{"message": "feedback.events/0/1"}\n')

    with pytest.raises(Failure, match=r"line 1 is not a line of an export.*Nothing was replayed"):
        read_repairs(file)
    with pytest.raises(Failure, match="No such file"):
        read_repairs(tmp_path / "none.jsonl")


def test_answers_whose_ids_may_be_forgotten_are_told() -> None:
    pile = piled(letter(1, GOOD))

    assert cautions(pile, NOW + timedelta(hours=23)) == []
    assert cautions(pile, NOW + timedelta(hours=25))[0].startswith("Careful: 1 of them arrived more than 24")
