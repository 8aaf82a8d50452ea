"""The command `aftertouch simulate`: realistic traffic for as long as you like, with a drop to be found."""

from __future__ import annotations

from typing import Annotated

import typer


def simulate(  # noqa: PLR0913 - each parameter is an option of the command
    touchpoints: Annotated[int, typer.Option(min=1, max=10_000, help="How many touchpoints answer.")] = 8,
    rate: Annotated[float, typer.Option(min=0.001, help="Answers a second, all touchpoints together.")] = 20,
    duration: Annotated[float, typer.Option(min=0, help="Seconds; 0 goes on until Ctrl-C.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same company and answers.")] = 1,
    drop: Annotated[bool, typer.Option(help="Let one touchpoint's level fall by 25 to 30 points.")] = True,
    batch: Annotated[
        int, typer.Option(min=1, max=500, help="Answers in one request; 1 sends each alone.")
    ] = 50,
    url: Annotated[str, typer.Option(help="Where ingest is (default: here, at INGEST_PORT).")] = "",
    key: Annotated[str, typer.Option(help="A key that may write (default: from AFTERTOUCH_DATA).")] = "",
) -> None:
    """Post made-up answers, as customers of a company would give them."""
    from datetime import UTC, datetime

    from deploy.history.door import find
    from deploy.simulate.run import run
    from deploy.simulate.traffic import Plan

    where = find(url, key, "server")
    plan = Plan(datetime.now(UTC), touchpoints, rate, seed, duration, drop)
    run(plan, where, batch, lambda: datetime.now(UTC))
