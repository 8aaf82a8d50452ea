"""Rules in force: what they mean to a detector, from which offset on, and what is kept for a replay."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rules import DEFAULT, Rules, parse
from services.aggregator.baseline import ALONE, Policy
from services.aggregator.panes import SeriesId
from services.aggregator.rules import LIVE_SECONDS, NEVER, Ruling, Rulings, live_series
from services.aggregator.rules_file import RulesFile
from services.aggregator.series import Series

WEB = SeriesId("default", "web", "csat")
STRICT = Ruling(parse("[drops]\nbudget_months = 60\nminimum_drop_points = 5"))
FLEET = parse("[drops]\nfalse_alarms_per_day = 4")


def test_the_default_rules_are_the_detectors_own() -> None:
    assert Ruling().policy_of(WEB) == Policy()


def test_a_ruling_is_what_the_detector_goes_by() -> None:
    policy = STRICT.policy_of(WEB)

    assert (policy.budget_months, policy.minimum_effect, policy.over_days) == (60.0, 0.05, 14.0)
    assert Ruling(FLEET, 1000).policy_of(WEB).budget_months == pytest.approx(1000 / 4 / 30.4375)


def test_a_few_more_live_series_make_no_new_ruling() -> None:
    thousand = Ruling().revised(FLEET, 1000)

    assert (thousand.rules, thousand.live_series) == (FLEET, 1000)
    assert thousand.revised(FLEET, 1100) is thousand
    assert thousand.revised(FLEET, 1101).live_series == 1101
    assert thousand.revised(FLEET, 899).live_series == 899
    assert thousand.revised(DEFAULT, 1000) == Ruling()
    assert Ruling().revised(DEFAULT, 1000) == Ruling()


def test_a_ruling_counts_from_its_offset_on() -> None:
    rulings = Rulings()
    rulings.add(10, STRICT)
    assert (rulings.present, rulings.turns_at, rulings.newest) == (Ruling(), 10, STRICT)

    rulings.turn(10)

    assert (rulings.present, rulings.turns_at) == (STRICT, NEVER)


@given(
    st.dictionaries(st.integers(0, 50), st.integers(0, 5), max_size=8),
    st.integers(0, 60),
)
def test_a_replay_goes_by_the_same_rulings_after_forgetting(numbers: dict[int, int], committed: int) -> None:
    whole, kept = Rulings(), Rulings()
    for offset, number in numbers.items():
        whole.add(offset, Ruling(FLEET, number))
        kept.add(offset, Ruling(FLEET, number))

    forgotten = kept.forget(committed)

    assert all(offset < committed for offset in forgotten)
    for offset in range(committed, 61):
        whole.turn(offset)
        kept.turn(offset)
        assert (kept.present, kept.turns_at) == (whole.present, whole.turns_at)


def test_series_are_live_for_thirty_days() -> None:
    series = [Series(WEB, Policy(), ALONE) for _ in range(3)]
    for one, newest in zip(series, (0.0, 1.0, LIVE_SECONDS), strict=True):
        one.detector.newest = newest

    assert live_series(series, now=LIVE_SECONDS) == 2


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    file = RulesFile(tmp_path / "rules.toml")
    file.look()

    assert (file.rules, file.problem) == (DEFAULT, "")


def test_a_changed_file_is_read_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("[drops]\nbudget_months = 6")
    file = RulesFile(path)
    file.look()
    first = file.rules

    path.write_text("[drops]\nbudget_months = -1")
    file.look()
    assert (file.rules, file.problem) == (first, "line 2: drops.budget_months: must be a number > 0.0")

    path.write_text("[drops]\nbudget_months = 7")
    file.look()
    assert (file.rules, file.problem) == (parse("[drops]\nbudget_months = 7"), "")


@pytest.mark.parametrize("content", [b"[drops", b"\xff\xfe"])
def test_a_file_that_is_bad_at_the_start_says_nothing_about_rules(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(content)
    file = RulesFile(path)
    file.look()

    rules: Rules | None = file.rules
    assert rules is None
    assert file.problem


def test_a_directory_in_its_place_is_a_problem_until_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.mkdir()
    file = RulesFile(path)
    file.look()
    assert file.problem == "Is a directory"

    path.rmdir()
    file.look()
    assert (file.rules, file.problem) == (DEFAULT, "")
