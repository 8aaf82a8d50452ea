"""The README says what the code says: its tables are generated, its commands, files and links exist."""

from __future__ import annotations

import re

from tests.readme import README, SECTIONS, with_tables

ROOT = README.parent
TEXT = README.read_text()


def test_tables_are_those_of_the_code() -> None:
    assert with_tables(TEXT) == TEXT, "run: python -m tests.readme"


def test_every_generated_section_is_there_once() -> None:
    for name in SECTIONS:
        assert TEXT.count(f"<!-- {name} -->") == TEXT.count(f"<!-- /{name} -->") == 1


def test_every_named_file_exists() -> None:
    named = re.findall(r"`((?:services|schemas|deploy|docs|tests)/[\w./-]+)`", TEXT)

    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_files_named_beside_others_exist_in_the_same_folder() -> None:
    for row in re.findall(r"^\| \d+ \|.*\| (.*) \|$", TEXT, re.MULTILINE):
        names = re.findall(r"`([\w/.]+)`", row)
        folder = names[0].rpartition("/")[0]
        missing = [n for n in names if not ((ROOT / n).exists() or (ROOT / folder / n).exists())]
        assert missing == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", TEXT, re.MULTILINE))
    assert {"up", "test"} <= named <= targets


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text()

    for record in folder.glob("0*.md"):
        assert f"({record.name})" in listed
