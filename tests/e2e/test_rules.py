"""Rules from a file beside the data: a running stack goes by them, and a bad file stops nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.conftest import MakeStack
from tests.stack import ROOT, Stack, wait_for

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


def answers_stored(stack: Stack) -> int:
    return int(stack.query("SELECT count() AS n FROM feedback.events FINAL")[0]["n"])


def backtest(stack: Stack, rules: Path) -> list[list[str]]:
    """The alerts that the rules would have raised over what is in ClickHouse."""
    url = stack.url("clickhouse").replace("//", "//default:@")
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "backtest", "--rules", str(rules)],
        cwd=ROOT,
        env=os.environ | {"CLICKHOUSE_URL": url, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split("Counted")[0].splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]


def test_a_drop_is_one_by_the_rules_of_the_file(make_stack: MakeStack, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rules.toml").write_text(HASTY)
    stack = make_stack()
    for name in ("patient.web", "hasty.web"):
        status, _ = stack.post(fall(name))
        assert status == 202

    told = wait_for(lambda: drops(stack), 15, "a drop is an alert")

    assert [alert["touchpoint"] for alert in told] == ["hasty.web"]
    wait_for(lambda: answers_stored(stack) == 140, 15, "all answers are in ClickHouse")
    (would_be,) = backtest(stack, tmp_path / "data" / "rules.toml")
    usual, level, _, answers = would_be[4:8]
    assert would_be[0] == "hasty.web"
    assert [f"{told[0]['baseline']:.1f}", f"{told[0]['value']:.1f}", str(told[0]["n"])] == [
        usual,
        level,
        answers,
    ]


def rules_counted_from(stack: Stack, partition: int) -> list[int]:
    """The source offsets from which rules were told to count in a partition."""
    lines = (stack.data / "logs" / "windows.log").read_text().splitlines()
    told = [line for line in lines if "rules count" in line and f"partition={partition} " in f"{line} "]
    return [int(match[1]) for line in told if (match := re.search(r"offset=(\d+)", line))]


def test_after_a_restart_changed_rules_count_from_the_end_of_the_log(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "rules.toml"
    file.write_text(HASTY)
    stack = make_stack()
    stack.post(fall("hasty.web"))
    wait_for(lambda: answers_stored(stack) == 70, 15, "all answers are in ClickHouse")
    ((partition, end),) = (
        (int(row["src_partition"]), int(row["newest"]) + 1)
        for row in stack.query(
            "SELECT src_partition, max(src_offset) AS newest FROM feedback.events GROUP BY src_partition"
        )
    )
    assert rules_counted_from(stack, partition) == [0]

    stack.stop()
    file.write_text("")
    stack.start()
    stack.post(fall("hasty.web")[:1])

    wait_for(lambda: len(rules_counted_from(stack, partition)) == 2, 15, "the new rules count")
    assert rules_counted_from(stack, partition) == [0, end]
    assert len(drops(stack)) == 1, "an open drop stays open"


def test_a_bad_file_is_complained_about_and_stops_nothing(make_stack: MakeStack, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rules.toml").write_text("[drops]\nbudget_months = 0\n")

    stack = make_stack(only="kafka,windows")

    shown = urllib3.request("GET", f"{stack.url('windows')}/metrics").data.decode()
    assert "aftertouch_windows_rules_refused 1.0" in shown.splitlines()
    assert "line 2: drops.budget_months: must be a number > 0.0" in stack.logs()
