"""`aftertouch import` at the terminal, against a real ingest app."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from schemas.feedback import Event
from services.ingest.publish import PublishFailed
from tests.deploy.terminal import aftertouch, now
from tests.ingest.serving import MemoryPublisher, serving

SAMPLES = Path(__file__).with_name("samples")
POLISH = (
    *("import", str(SAMPLES / "polish.csv"), "--map", "touchpoint=Gdzie", "--map", "score=Ocena"),
    *("--map", "occurred_at=Kiedy", "--map", "event_id=Numer", "--map", "comment=Uwagi"),
    *("--set", "metric=csat", "--zone", "Europe/Warsaw"),
)
TABS = (
    *("import", str(SAMPLES / "tabs.csv"), "--map", "touchpoint=place", "--map", "score=rating"),
    *("--map", "occurred_at=when", "--set", "metric=ces"),
)
KEY = ("--key", "sk_importer")


async def test_imports_what_is_good_and_lists_what_is_not(tmp_path: Path) -> None:
    memory = MemoryPublisher()
    errors = tmp_path / "errors.csv"
    async with serving(memory, clock=now) as url:
        run = await aftertouch(*POLISH, *KEY, "--url", url, "--errors", str(errors))
    assert run.code == 1
    assert run.err == f"aftertouch: 4 rows were refused; they are listed in {errors}.\n"
    assert "Płatności i zwroty -> platnosci-i-zwroty" in run.out
    assert "clocks went back, of which the first was taken: 1" in run.out
    assert "clocks went forward, moved on by the gap: 1" in run.out
    assert (run.row("read"), run.row("accepted"), run.row("skipped: no rating")) == (10, 3, 1)
    assert (run.row("duplicate: same id, same answer"), run.row("duplicate: same id, another")) == (1, 1)
    assert run.row("refused: score_out_of_range (column Ocena)") == 1
    assert [(e.event_id, e.imported) for e in memory.events] == [("1", True), ("3", True), ("4", True)]
    with errors.open(newline="") as text:
        rows = list(csv.reader(text))
    assert rows[0] == ["line", "column", "reason", "detail"]
    assert [row[:3] for row in rows[1:3]] == [
        ["7", "Ocena", "score_out_of_range"],
        ["8", "Kiedy", "occurred_at_invalid"],
    ]


async def test_importing_twice_posts_the_same_ids() -> None:
    memory = MemoryPublisher()
    async with serving(memory, clock=now) as url:
        for _ in range(2):
            run = await aftertouch(*TABS, *KEY, "--url", url)
            assert (run.code, run.row("accepted")) == (0, 3), run.err
    ids = [event.event_id for event in memory.events]
    assert ids[:3] == ids[3:]


async def test_a_dry_run_posts_nothing_and_needs_neither_server_nor_key() -> None:
    run = await aftertouch(*TABS, "--dry-run")
    assert run.code == 0, run.err
    assert (run.row("read"), run.row("would be posted"), run.row("accepted")) == (3, 3, 0)


class Flaky(MemoryPublisher):
    """Fails the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 1

    async def publish(self, events: Sequence[Event]) -> None:
        if self.failures:
            self.failures -= 1
            raise PublishFailed("not now")
        await super().publish(events)


async def test_asks_again_when_the_server_says_later() -> None:
    memory = Flaky()
    async with serving(memory, clock=now) as url:
        run = await aftertouch(*TABS, *KEY, "--url", url)
    assert (run.code, run.row("accepted"), len(memory.events)) == (0, 3, 3), run.err


async def test_a_key_that_may_not_import_is_one_sentence() -> None:
    async with serving(MemoryPublisher(), clock=now) as url:
        run = await aftertouch(*TABS, "--key", "sk_writer", "--url", url)
    assert run.code == 1
    assert "(403 key_forbidden): the key lacks the scope 'import'" in run.err
    assert run.row("not posted") == 3


async def test_an_unreachable_server_is_one_sentence() -> None:
    run = await aftertouch(*TABS, *KEY, "--url", "http://127.0.0.1:9")
    assert run.code == 1
    assert "Nothing answers at http://127.0.0.1:9" in run.err
    assert run.err.count("\n") == 1


async def test_a_wrong_column_is_one_sentence() -> None:
    run = await aftertouch(*TABS, "--map", "agent=who", "--dry-run")
    assert run.code == 2
    assert run.err == "aftertouch: The file has no column 'who'. It has: place, rating, when, plan.\n"
