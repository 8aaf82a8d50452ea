"""Rules from a file beside the data: a running stack goes by them, and a bad file stops nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.conftest import MakeStack
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.slow

HASTY = "[[override]]\ntouchpoint = 'hasty.*'\nwarm_up_answers = 20\nbudget_months = 0.01\n"


def fall(touchpoint: str) -> list[dict[str, Any]]:
    """Five days of good answers, then a bad half day."""
    begins = datetime.now(UTC) - timedelta(days=6)
    return [
        {
            "touchpoint": touchpoint,
            "metric": "csat",
            "score": 5 if number < 60 else 1,
            "occurred_at": (begins + timedelta(hours=2 * number)).isoformat(),
        }
        for number in range(70)
    ]


def drops(stack: Stack) -> list[dict[str, Any]]:
    _, listed = stack.ask("alerts", "GET", "/v1/alerts?kind=drop")
    return list(listed["alerts"])


def test_a_drop_is_one_by_the_rules_of_the_file(make_stack: MakeStack, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rules.toml").write_text(HASTY)
    stack = make_stack()
    for name in ("patient.web", "hasty.web"):
        status, _ = stack.post(fall(name))
        assert status == 202

    told = wait_for(lambda: drops(stack), 15, "a drop is an alert")

    assert [alert["touchpoint"] for alert in told] == ["hasty.web"]


def test_a_bad_file_is_complained_about_and_stops_nothing(make_stack: MakeStack, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rules.toml").write_text("[drops]\nbudget_months = 0\n")

    stack = make_stack(only="kafka,windows")

    shown = urllib3.request("GET", f"{stack.url('windows')}/metrics").data.decode()
    assert "aftertouch_windows_rules_refused 1.0" in shown.splitlines()
    assert "line 2: drops.budget_months: must be a number > 0.0" in stack.logs()
