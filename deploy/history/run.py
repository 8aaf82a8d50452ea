"""Runs an import at the terminal: read, convert, say what was made of it, post, and sum up."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import aiohttp
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.history.convert import NotTaken, Prepared, prepare
from deploy.history.door import Door, Where
from deploy.history.mapping import Mapping, check_columns
from deploy.history.replay import Replayed, replay
from deploy.history.report import oddity_lines, slug_lines, summary, write_errors
from deploy.history.table import read_table
from deploy.history.times import Reading
from deploy.up.failure import Failure

TIMEOUT_SECONDS = 60


class Import(Struct, frozen=True):
    """What is to be imported and how. `where` is None for a dry run, `errors` when refused rows need no file."""

    file: Path
    mapping: Mapping
    reading: Reading
    where: Where | None
    errors: Path | None


def run(task: Import, now: datetime) -> None:
    """Import the file. Raises Failure when it cannot go on, or when rows were refused."""
    console = Console(soft_wrap=True, highlight=False)
    table = read_table(task.file)
    check_columns(task.mapping, table.header)
    prepared = prepare(table.rows, task.mapping, task.reading, now)
    for line in slug_lines(prepared.slugs) + oddity_lines(task.reading.oddities):
        console.print(line, markup=False)
    replayed = Replayed()
    try:
        if task.where is not None:
            asyncio.run(_post(prepared, task.where, replayed, console))
    finally:
        refused = prepared.refused + replayed.refused
        if task.errors is not None:
            write_errors(task.errors, refused)
        console.print(summary(len(table.rows), prepared, replayed if task.where else None))
    _complain(refused, task.errors)


async def _post(prepared: Prepared, where: Where, replayed: Replayed, console: Console) -> None:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    columns = (TextColumn("posting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with aiohttp.ClientSession(timeout=timeout) as session:
        door = Door(session, where, history=True)
        await door.check()
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("", total=len(prepared.ready))
            await replay(prepared.ready, door, replayed, lambda count: progress.advance(bar, count))


def _complain(refused: list[NotTaken], errors: Path | None) -> None:
    if refused:
        where = f"they are listed in {errors}" if errors else "list them with --errors FILE"
        raise Failure(f"{len(refused):,} rows were refused; {where}.")
