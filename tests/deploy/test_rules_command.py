"""`aftertouch rules check` at the terminal."""

from __future__ import annotations

from pathlib import Path

from tests.deploy.terminal import aftertouch


async def test_a_good_file_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[drops]\nbudget_months = 24\n[[override]]\ntouchpoint = 'billing.*'\nover_days = 7")

    run = await aftertouch("rules", "check", str(file))

    assert (run.code, run.err) == (0, "")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in run.out.splitlines() if "│" in line]
    assert rows == [
        ["all", "all", "all", "24", "3", "150", "14", "60"],
        ["billing.*", "*", "*", "", "", "", "7", ""],
    ]
    assert "at most about one false alarm in 24 months" in run.out


async def test_a_bad_file_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[drops]\nbudget_months = -1\n")

    run = await aftertouch("rules", "check", str(file))

    assert (run.code, run.out) == (1, "")
    assert run.err == f"aftertouch: {file}, line 2: drops.budget_months: must be a number > 0.0\n"


async def test_no_file_is_one_sentence(tmp_path: Path) -> None:
    run = await aftertouch("rules", "check", str(tmp_path / "none.toml"))

    assert (run.code, run.err) == (1, f"aftertouch: {tmp_path / 'none.toml'}: No such file or directory.\n")
