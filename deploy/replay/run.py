"""Runs a replay at the terminal: read the dead letters, judge them again, put back what is good, and sum up."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from deploy.replay.letters import Pile, Wanted
from deploy.replay.repairs import write_repairs
from deploy.replay.topic import put_back, read_all
from deploy.up.failure import Failure

REMEMBERED = timedelta(hours=24)
"""For at least so long a repeated event_id is recognised."""
SHOWN = 10


class Replay(Struct, frozen=True):
    """What is to be replayed, from and to which Kafka. `export` is a file for what still cannot be read."""

    bootstrap: str
    wanted: Wanted
    dry_run: bool
    export: Path | None


def run(task: Replay, now: datetime) -> None:
    """Replay. Raises Failure when it cannot go on, or when a repaired answer still cannot be read."""
    console = Console(soft_wrap=True, highlight=False)
    pile = Pile(task.wanted)
    replayed = 0

    def put(count: int) -> None:
        nonlocal replayed
        replayed += count

    asyncio.run(read_all(task.bootstrap, pile))
    try:
        if pile.ready and not task.dry_run:
            asyncio.run(put_back(task.bootstrap, pile.ready, put))
    finally:
        console.print(summary(pile, None if task.dry_run else replayed))
    for line in cautions(pile, now):
        console.print(line, markup=False)
    if task.export is not None:
        write_repairs(task.export, pile.refused)
        console.print(f"{len(pile.refused):,} refused answers are in {task.export}.", markup=False)
    _complain(pile, task)


def summary(pile: Pile, replayed: int | None) -> Table:
    """The table at the end; `replayed` is None for a dry run."""
    table = Table(title="Replay of refused answers", title_justify="left")
    table.add_column("")
    table.add_column("answers", justify="right")
    table.add_row("read", f"{len(pile.keys):,}")
    if replayed is None:
        table.add_row("would be replayed", f"{len(pile.ready):,}")
    else:
        table.add_row("replayed", f"{replayed:,}")
        if waiting := len(pile.ready) - replayed:
            table.add_row("not replayed", f"{waiting:,}")
    if before := len(pile.keys & pile.done):
        table.add_row("replayed before", f"{before:,}")
    for reason, count in pile.still_refused().most_common():
        table.add_row(f"still refused: {reason}", f"{count:,}")
    for reason in sorted(set(pile.settled.values())):
        count = list(pile.settled.values()).count(reason)
        table.add_row(f"settled, not to be replayed: {reason}", f"{count:,}")
    if pile.foreign:
        table.add_row("not a dead letter", f"{pile.foreign:,}")
    return table


def cautions(pile: Pile, now: datetime) -> list[str]:
    """What the person should know about what was put back."""
    old = sum(now - event.received_at > REMEMBERED for event, _ in pile.ready.values())
    if not old:
        return []
    return [
        f"Careful: {old:,} of them arrived more than 24 hours ago. If their sender has sent them again by itself "
        "since, their ids may be forgotten and they count twice."
    ]


def _complain(pile: Pile, task: Replay) -> None:
    if task.wanted.repaired is None:
        return
    wrong = [f"{name}: {one.why.reason}, {one.why.detail}" for name, one in pile.refused.items()]
    wrong += [f"{name}: not (or no longer) on feedback.rejected as asked for" for name in pile.unknown()]
    if wrong:
        listed = "\n  ".join(
            wrong[:SHOWN] + ([f"and {len(wrong) - SHOWN:,} more"] if len(wrong) > SHOWN else [])
        )
        raise Failure(f"{len(wrong):,} repaired answers were not replayed:\n  {listed}")
