"""The command `aftertouch replay-rejected`: what was refused and can be read now goes back onto feedback.events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def replay_rejected(  # noqa: PLR0913 - each parameter is an option of the command
    reason: Annotated[str, typer.Option(help="Only those refused for this reason word.")] = "",
    since: Annotated[
        str,
        typer.Option(metavar="ISO", help="Only those refused since then: 2026-03-01 or 2026-03-01T12:00Z."),
    ] = "",
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what still cannot be read to this JSONL file.")
    ] = None,
    repaired: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Replay the payloads of a repaired export.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and judge everything, replay nothing.")
    ] = False,
) -> None:
    """Try the refused answers of the last 7 days again, and put back those that can be read now. Each counts once."""
    from datetime import UTC, datetime

    from deploy.replay.asked import kafka_address, reason_of, since_of
    from deploy.replay.letters import Wanted
    from deploy.replay.repairs import read_repairs
    from deploy.replay.run import Replay, run

    payloads = None if repaired is None else read_repairs(repaired)
    wanted = Wanted(reason_of(reason), since_of(since), payloads)
    run(Replay(kafka_address(), wanted, dry_run, export), datetime.now(UTC))
