"""Says what an import did: the touchpoints it made, what it read, and what became of every row."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.table import Table

from deploy.history.convert import NotTaken, Prepared, SkipReason
from deploy.history.replay import Replayed
from deploy.history.times import Oddity
from deploy.up.failure import CANNOT_START, Failure

SLUGS_SHOWN = 20
SKIPPED: dict[SkipReason, str] = {
    "no_rating": "skipped: no rating",
    "same_id_same_answer": "duplicate: same id, same answer",
    "same_id_other_answer": "duplicate: same id, another answer (the first in time counts)",
}
ODDITIES: dict[Oddity, str] = {
    "twice": "Local times that came twice as clocks went back, of which the first was taken",
    "never": "Local times that never came as clocks went forward, moved on by the gap",
}


def slug_lines(slugs: Mapping[str, str]) -> list[str]:
    """How names in the file became touchpoints, where they had to change; and which became one."""
    changed = [f"  {name} -> {slug}" for name, slug in sorted(slugs.items()) if name != slug]
    lines = [f"{len(set(slugs.values()))} touchpoints" + (", renamed:" if changed else ".")] + changed[
        :SLUGS_SHOWN
    ]
    if len(changed) > SLUGS_SHOWN:
        lines.append(f"  and {len(changed) - SLUGS_SHOWN} more")
    names = defaultdict(list)
    for name, slug in slugs.items():
        names[slug].append(name)
    lines += [f"Careful: {' and '.join(same)} became one: {s}." for s, same in names.items() if len(same) > 1]
    return lines


def summary(read: int, prepared: Prepared, replayed: Replayed | None) -> Table:
    """The table at the end; `replayed` is None for a dry run."""
    table = Table(title="Import", title_justify="left")
    table.add_column("")
    table.add_column("rows", justify="right")
    table.add_row("read", f"{read:,}")
    if replayed is None:
        table.add_row("would be posted", f"{len(prepared.ready):,}")
    else:
        table.add_row("accepted", f"{replayed.accepted:,}")
        if open_ := len(prepared.ready) - replayed.accepted - len(replayed.refused):
            table.add_row("not posted", f"{open_:,}")
    for skip, words in SKIPPED.items():
        if prepared.skipped[skip]:
            table.add_row(words, f"{prepared.skipped[skip]:,}")
    refused = prepared.refused + (replayed.refused if replayed else [])
    for (reason, column), count in Counter((row.reason, row.column) for row in refused).most_common():
        table.add_row(f"refused: {reason}" + (f" (column {column})" if column else ""), f"{count:,}")
    return table


def oddity_lines(oddities: Mapping[Oddity, int]) -> list[str]:
    """Which local times were not what they seemed."""
    return [f"{ODDITIES[oddity]}: {count:,}" for oddity, count in sorted(oddities.items())]


def write_errors(file: Path, refused: Iterable[NotTaken]) -> None:
    """The refused rows as CSV, in the order of the file. It repeats nothing of their content."""
    try:
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["line", "column", "reason", "detail"])
            writer.writerows(
                [r.line, r.column, r.reason, r.detail] for r in sorted(refused, key=lambda r: r.line)
            )
    except OSError as error:
        raise Failure(
            f"The refused rows cannot be written to {file}: {error.strerror}.", CANNOT_START
        ) from None
