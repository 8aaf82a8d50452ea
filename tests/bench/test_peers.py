"""What judges the peers has to be right itself: the ledger, the comparison, and the panes two peers are given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest

from schemas.feedback import Event, encode
from schemas.scores import Window
from tests.bench.peers.figures import Figures, Run, flat, table
from tests.bench.peers.flows.panes import State, counted, update
from tests.bench.peers.load import Key, Ledger, answer, answers
from tests.bench.peers.updates import MINUTES, Seen, read_hopped, read_rolled, verdict

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(ledger: Ledger) -> dict[Key, dict[Window, tuple[int, float]]]:
    """Figures as a contender without a fault gives them."""
    return {key: {w: ledger.window(key, m) for w, m in MINUTES.items()} for key in ledger.minutes}


def noted(events: list[Event]) -> Ledger:
    ledger = Ledger()
    for event in events:
        ledger.note(event)
    return ledger


@pytest.mark.parametrize("gap_minutes", [0, 1, 4, 70, 1500])
def test_hand_kept_panes_agree_with_the_ledger_at_every_answer(gap_minutes: int) -> None:
    random, at, ledger = Random(gap_minutes), START, Ledger()
    state: State | None = None
    for number in range(200):
        event = answer(random, number, 4, at)
        key = ledger.note(event)
        state = counted(state, msgspec.json.decode(encode(event)))
        said = read_rolled(msgspec.json.encode(update(event.touchpoint, event.metric, state)))
        assert said == (key, told(ledger)[key])
        at += timedelta(seconds=random.randrange(40)) + timedelta(minutes=gap_minutes * (number % 50 == 49))


def test_the_load_goes_round_all_touchpoints_within_the_hour() -> None:
    ledger = noted(list(answers(1_000, 100, START)))

    assert len(ledger.minutes) == 100
    assert {ledger.count(key) for key in ledger.minutes} == {10}
    assert all(ledger.window(key, 60)[0] == 10 for key in ledger.minutes)


def test_only_the_ledgers_own_figures_are_exact() -> None:
    ledger = noted(list(answers(300, 20, START)))
    right, short, wrong = told(ledger), told(ledger), told(ledger)
    del short["t3/ces"]
    n, score = wrong["t2/csat"]["1h"]
    wrong["t2/csat"]["1h"] = n, score + 1

    assert verdict(ledger, right) == "exact"
    assert verdict(ledger, short) == "0 windows wrong, 15 answers missing"
    assert verdict(ledger, wrong) == "1 windows wrong, 0 answers missing"


def test_an_older_update_does_not_undo_a_newer_one() -> None:
    seen = Seen()
    for n in (1, 3, 2):
        seen.take("t1/ces", {"5m": (n, 0.0), "1h": (n, 50.0), "24h": (n, 50.0)})

    assert seen.total == 3
    assert seen.figures["t1/ces"]["5m"] == (3, 0.0)


def test_rows_that_pathway_takes_back_are_no_updates() -> None:
    back = {"touchpoint": "t1", "metric": "ces", "window": "1h", "n": 2, "score": 50.0, "diff": -1}

    assert read_hopped(msgspec.json.encode(back)) == ("", {})
    assert read_hopped(msgspec.json.encode(back | {"diff": 1})) == ("t1/ces", {"1h": (2, 50.0)})


def test_the_start_is_no_part_of_the_cost() -> None:
    start, run = Run(1.0, 3.0, 0.0, 50.0, 48, True, "exact"), Run(3.0, 9.0, 500.0, 80.0, 1_000, True, "exact")
    row = Figures("Peer", "form", [start], {1_000: [run, run, run]}, (5.0, 9.0))

    assert (
        table([row]).splitlines()[2]
        == "| Peer | form | 500 | 500 | 1k: 2,000.0 | 1k: 80 | 5 / 9 ms | exact |"
    )
    assert flat({"peer": row})["peers_peer_1k_us_per_event"] == 2_000.0


def test_a_run_that_was_cut_off_says_so() -> None:
    start = Run(1.0, 3.0, 0.0, 50.0, 48, True, "exact")
    row = Figures("Peer", "form", [start], {1_000: [Run(121.0, 120.0, 2.0, 80.0, 240, False, "late")]})

    assert "cut off after 120 s and 240 events" in table([row])
    assert flat({"peer": row})["peers_peer_1k_done"] == 0.0
