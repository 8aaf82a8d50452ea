"""rules.toml: what it may say, what it comes to for one touchpoint, and how wrong ones are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.rules import DEFAULT, DropRules, Rules, RulesError, line_of, parse, rules_for

ROOT = Path(__file__).resolve().parents[2]
WRONG = [
    ("[drops]\nbudget_months = 0", "line 2: drops.budget_months: must be a number > 0.0"),
    ("[drops]\nbudget_months = '12'", "line 2: drops.budget_months: must be a number, not text"),
    ("[drops]\nbudget_months = inf", "line 2: drops.budget_months: must be a number <= 1200.0"),
    (
        "[drops]\n\nwarm_up_answers = 1.5",
        "line 3: drops.warm_up_answers: must be a whole number, not a number",
    ),
    ("\n[drops]\nbudgets = 3", "line 3: drops.budgets: there is no such rule"),
    ("[alerts]\nbudget = 3", "line 1: alerts: there is no such rule"),
    ("[drops]\nsizes_points = [5, 10]", "line 2: drops.sizes_points: must be a list of length 3, not 2"),
    (
        "[drops]\nsizes_points = [5, 20, 10]",
        "line 2: drops.sizes_points: must be three sizes, the smallest first",
    ),
    (
        "[drops]\nbudget_months = 12\nfalse_alarms_per_day = 4",
        "line 3: drops.false_alarms_per_day: give this or budget_months, not both",
    ),
    (
        "[[override]]\nbudget_months = 1\n# [[override]]\n[[override]]\nmetric = 'CSAT'",
        "line 5: override[1].metric: must be one of csat, ces, nps or *",
    ),
    (
        "[[override]]\ntouchpoint = 'Billing*'\nover_days = 1",
        "line 2: override[0].touchpoint: must be of a-z",
    ),
    ("[[override]]\nover_days = 1\n\n[[override]]\ntouchpoint = 'a'", "line 4: override[1]: changes nothing"),
    ("override = 3", "line 1: override: must be a list, not a whole number"),
    ("[drops]\nover_days = 1\nover_days = 2", "line 3: this is not TOML: "),
    ("[drops]\nover_days = = 2\n", "line 2: this is not TOML: Invalid value"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(RulesError, match=rf"\A{re.escape(said)}"):
        parse(text)


def test_an_empty_file_means_the_defaults() -> None:
    assert parse("") == DEFAULT == Rules()
    assert rules_for(DEFAULT, "default", "web", "csat") == DropRules(budget_months=12.0)


def test_the_last_override_that_says_something_counts() -> None:
    rules = parse(
        """
        [drops]
        minimum_drop_points = 4
        [[override]]
        touchpoint = "billing*"
        budget_months = 6
        over_days = 7
        [[override]]
        touchpoint = "*.phone"
        budget_months = 3
        """
    )

    both = rules_for(rules, "default", "billing.phone", "csat")
    assert (both.budget_months, both.over_days, both.minimum_drop_points) == (3.0, 7.0, 4.0)
    assert rules_for(rules, "default", "billing.mail", "csat").budget_months == 6.0
    assert rules_for(rules, "default", "sales.mail", "csat").budget_months == 12.0


def test_an_override_may_be_of_a_workspace_and_a_metric() -> None:
    rules = parse("[[override]]\nworkspace = 'shop-?'\nmetric = 'nps'\nwarm_up_answers = 50")

    asked = [("shop-a", "nps"), ("shop-a", "ces"), ("shop-ab", "nps")]
    warm_ups = [rules_for(rules, workspace, "t", metric).warm_up_answers for workspace, metric in asked]  # type: ignore[arg-type]
    assert warm_ups == [50, 150, 150]


def test_the_fleets_budget_is_divided_by_live_series_and_an_own_one_stands_beside_it() -> None:
    rules = parse("[drops]\nfalse_alarms_per_day = 4\n[[override]]\ntouchpoint = 'vip'\nbudget_months = 1")

    months = rules_for(rules, "default", "web", "csat", live_series=10_000).budget_months
    assert months == pytest.approx(10_000 / 4 / 30.4375)
    assert rules_for(rules, "default", "vip", "csat", live_series=10_000).budget_months == 1.0
    assert rules_for(rules, "default", "web", "csat").budget_months == pytest.approx(1 / 4 / 30.4375)


def test_a_place_that_is_not_in_the_text_has_no_line() -> None:
    assert line_of("[drops]\n", "override[0].metric") == 0
    assert line_of("drops = {over_days = -1}", "drops.over_days") == 1


def test_the_documented_file_is_read_and_says_the_defaults() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "rules.md").read_text(), re.DOTALL)

    rules = parse(example)

    assert rules_for(Rules(rules.drops), "default", "web", "csat") == DropRules(budget_months=12.0)
    assert len(rules.override) == 3
    commented = parse(re.sub(r"^# (?=\w+ = )", "", example.replace("budget_months = 12", "", 1), flags=re.M))
    assert commented.drops.false_alarms_per_day == 4


def test_every_rule_is_documented() -> None:
    text = (ROOT / "docs" / "rules.md").read_text()

    assert [name for name in DropRules.__struct_fields__ if name not in text] == []
