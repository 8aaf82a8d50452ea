"""Importing three real files: what is in them is what arrives, and every trap is accounted for."""

from __future__ import annotations

import csv
import os
import shlex
from collections import Counter
from pathlib import Path

import pytest

from schemas.feedback import Event
from tests.deploy.terminal import Run, aftertouch, now
from tests.ingest.serving import MemoryPublisher, serving

DATA = Path(os.environ.get("AFTERTOUCH_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def real(name: str) -> Path:
    file = DATA / name
    if not file.exists():
        why = f"{file} is missing; set AFTERTOUCH_REAL_DATA to the folder with the real data"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return file


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


async def imported(file: Path, options: str) -> tuple[Run, list[Event]]:
    memory = MemoryPublisher()
    async with serving(memory, clock=now) as url:
        run = await aftertouch(
            "import", str(file), *shlex.split(options), "--key", "sk_importer", "--url", url
        )
    assert run.code == 0, run.err
    assert all(event.imported for event in memory.events)
    times = [event.occurred_at for event in memory.events]
    assert times == sorted(times)
    return run, memory.events


async def test_call_centre() -> None:
    file = real("call_centre_csat.csv")
    run, events = await imported(
        file,
        "--map touchpoint=topic --map score=satisfaction --map occurred_at=answered_at --map agent=agent "
        "--map event_id=call_id --set metric=csat --set channel=phone --zone Europe/Zurich",
    )
    assert (run.row("read"), run.row("accepted"), run.row("skipped: no rating")) == (5000, 4054, 946)
    expected = Counter(
        (row["call_id"], row["agent"], int(row["satisfaction"])) for row in rows(file) if row["satisfaction"]
    )
    assert Counter((e.event_id, e.agent, e.score) for e in events) == expected
    assert len({e.touchpoint for e in events}) == 5
    assert "Technical Support -> technical-support" in run.out


async def test_shop_reviews() -> None:
    file = real("shop_reviews.csv")
    run, events = await imported(
        file,
        "--map touchpoint=category --set touchpoint=no-category --map score=score --map occurred_at=answered_at "
        "--map agent=seller_id --map customer_id=customer_unique_id --map interaction_id=order_id "
        "--map event_id=review_id --map comment=comment --set metric=csat --zone America/Sao_Paulo",
    )
    assert (run.row("read"), run.row("accepted")) == (8225, 8191)
    assert run.row("duplicate: same id, another answer") + run.row("duplicate: same id, same answer") == 34
    comments = {row["review_id"]: set[str]() for row in rows(file)}
    for row in rows(file):
        comments[row["review_id"]].add(row["comment"].strip())
    assert len(events) == len(comments)
    assert all(event.comment in comments[event.event_id] for event in events)
    assert sum(not row["category"] for row in rows(file)) == 922
    assert sum(event.touchpoint == "no-category" for event in events) > 900


async def test_nps_survey() -> None:
    file = real("nps_survey.csv")
    run, events = await imported(
        file,
        "--map touchpoint=Market --map score=NPS --map 'occurred_at=Survey date' --map event_id=ID "
        "--set metric=nps --time-format %d/%m/%y --zone UTC",
    )
    assert (run.row("read"), run.row("accepted")) == (5000, 5000)
    expected = Counter((row["Market"].lower(), row["Survey date"][3:5], row["NPS"]) for row in rows(file))
    assert Counter((e.touchpoint, f"{e.occurred_at:%m}", str(e.score)) for e in events) == expected
