"""`aftertouch backtest` at the terminal, over a file."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from tests.deploy.terminal import Run, aftertouch

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS, DROPPED_ON, HOURLY = 60, 45, 2
COLUMNS = (
    "--map",
    "touchpoint=where",
    "--map",
    "score=rating",
    "--map",
    "occurred_at=at",
    "--set",
    "metric=csat",
)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty days of two touchpoints at 85 %, of which `web` falls to 50 % on day 45."""
    random, file = Random(4), tmp_path_factory.mktemp("backtest") / "answers.csv"
    with file.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["where", "rating", "at", "id"])
        for number in range(DAYS * 24 * HOURLY):
            at = FIRST + timedelta(hours=number / HOURLY)
            for where in ("web", "phone"):
                fallen = where == "web" and at >= FIRST + timedelta(days=DROPPED_ON)
                good = random.random() < (0.5 if fallen else 0.85)
                writer.writerow([where, 5 if good else 1, at.isoformat(), f"{where}-{number}"])
    return file


def rules(folder: Path, text: str) -> Path:
    file = folder / "rules.toml"
    file.write_text(text)
    return file


def alerts(run: Run) -> list[list[str]]:
    """The rows of the table of alerts."""
    lines = run.out.split("Counted")[0].splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]


async def backtest(history: Path, rules: Path, *more: str) -> Run:
    run = await aftertouch("backtest", "--rules", str(rules), "--file", str(history), *COLUMNS, *more)
    assert run.code == 0, run.err
    return run


async def test_a_drop_in_the_file_is_found_and_told(history: Path, tmp_path: Path) -> None:
    run = await backtest(history, rules(tmp_path, ""))

    ((touchpoint, metric, since, noticed, usual, level, *_, over),) = alerts(run)
    assert (touchpoint, metric, over) == ("web", "csat", "still open")
    assert FIRST + timedelta(days=DROPPED_ON - 2) < datetime.fromisoformat(f"{since}+00:00")
    assert datetime.fromisoformat(f"{noticed}+00:00") < FIRST + timedelta(days=DROPPED_ON + 3)
    assert float(level) + 15 < float(usual)
    assert (run.row("drops"), run.row("answers that may alarm")) == (1, 2 * DAYS * 24 * HOURLY)
    watched_months = 2 * (DAYS - 150 / 24 / HOURLY) / 30.4375
    assert f"Drops: 1 in {watched_months:.1f} months of watched touchpoints" in run.out
    assert "at most about 0.3." in run.out


async def test_rules_make_the_difference(history: Path, tmp_path: Path) -> None:
    run = await backtest(
        history, rules(tmp_path, "[[override]]\ntouchpoint = 'w*'\nminimum_drop_points = 80")
    )

    assert alerts(run) == []
    assert run.row("drops") == 0


async def test_answers_before_from_only_teach_and_none_are_read_from_to_on(
    history: Path, tmp_path: Path
) -> None:
    run = await backtest(history, rules(tmp_path, ""), "--from", "2026-01-31", "--to", "2026-02-14")

    assert run.row("answers that only teach") == 2 * 30 * 24 * HOURLY
    assert run.row("answers that may alarm") == 2 * 14 * 24 * HOURLY
    assert alerts(run) == []


async def test_a_budget_for_the_fleet_is_kept_to(history: Path, tmp_path: Path) -> None:
    run = await backtest(history, rules(tmp_path, "[drops]\nfalse_alarms_per_day = 0.01"))

    assert len(alerts(run)) == 1
    assert "at most about 0.6 (0.01 a day for all together)." in run.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "yesterday"), "--from yesterday: write it as 2026-03-01."),
        (("--from", "2026-03-01", "--to", "2026-02-01"), "--from must be before --to."),
        (("--to", "2020-01-01"), "There are no answers in that time."),
    ],
)
async def test_what_it_cannot_do_is_one_sentence(
    history: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    file = str(rules(tmp_path, ""))
    run = await aftertouch("backtest", "--rules", file, "--file", str(history), *COLUMNS, *options)

    assert run.code > 0
    assert run.err == f"aftertouch: {said}\n"
