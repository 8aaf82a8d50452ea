"""Runs a simulation at the terminal: says what is planted, shows progress, and sums up at the end."""

from __future__ import annotations

import asyncio
import signal

import aiohttp
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.history.door import Door, Where
from deploy.simulate.send import Clock, Sent, send
from deploy.simulate.traffic import Plan, PlantedDrop, Traffic
from deploy.up.failure import Failure

CONNECT_SECONDS = 10
SHOW_SECONDS = 0.2


def run(plan: Plan, where: Where, batch: int, clock: Clock) -> None:
    """Simulate until the plan or the person says stop. Raises Failure when the server does not play along."""
    console = Console(soft_wrap=True, highlight=False)
    sent = Sent()
    try:
        asyncio.run(_simulate(plan, where, batch, clock, (console, sent)))
    except ExceptionGroup as several:  # requests in flight fail together
        raise next((e for e in several.exceptions if isinstance(e, Failure)), several) from None
    finally:
        if sent.sent:
            console.print(summary(sent))


async def _simulate(plan: Plan, where: Where, batch: int, clock: Clock, shown: tuple[Console, Sent]) -> None:
    console, sent = shown
    timeout = aiohttp.ClientTimeout(total=60, connect=CONNECT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        door = Door(session, where)
        await door.check()
        traffic = Traffic(plan)
        sending = asyncio.create_task(send(traffic.answers(), door, batch, clock, sent))
        for stop in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(stop, sending.cancel)
        console.print(opening(plan, traffic, where), markup=False)
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
        ) as bar:
            task = bar.add_task("starting")
            while not sending.done():
                await asyncio.wait([sending], timeout=SHOW_SECONDS)
                bar.update(task, description=state(traffic.drop, sent, clock))
        if not sending.cancelled():
            sending.result()


def opening(plan: Plan, traffic: Traffic, where: Where) -> str:
    """What is going to happen."""
    until = f"for {plan.seconds:g} s" if plan.seconds else "until Ctrl-C"
    lines = [
        f"Simulating {len(traffic.touchpoints)} touchpoints with {plan.rate:g} answers a second at {where.url}, "
        f"{until} (seed {plan.seed}).",
        f"Planted drop: {describe(traffic.drop)}." if traffic.drop else "No drop is planted.",
    ]
    return "\n".join(lines)


def describe(drop: PlantedDrop) -> str:
    """The planted drop in one phrase."""
    usual, fallen = 100 * drop.usual, 100 * (drop.usual - drop.depth)
    return (
        f"{drop.touchpoint} ({drop.metric}) falls from about {usual:.0f} to {fallen:.0f} points "
        f"at {drop.starts:%H:%M:%S} UTC"
    )


def state(drop: PlantedDrop | None, sent: Sent, clock: Clock) -> str:
    """One line of progress."""
    text = f"{sent.sent:,} sent, {sent.accepted:,} accepted, {sum(sent.rejected.values()):,} rejected"
    if drop is None:
        return text
    seconds = (drop.starts - clock()).total_seconds()
    return f"{text}; {drop.touchpoint} " + (f"falls in {seconds:.0f} s" if seconds > 0 else "has fallen")


def summary(sent: Sent) -> Table:
    """What was sent and what became of it."""
    table = Table(title="Simulation", title_justify="left")
    table.add_column("")
    table.add_column("answers", justify="right")
    table.add_row("sent", f"{sent.sent:,}")
    table.add_row("accepted", f"{sent.accepted:,}")
    for reason, count in sent.rejected.most_common():
        table.add_row(f"rejected: {reason}", f"{count:,}")
    if unknown := sent.sent - sent.accepted - sum(sent.rejected.values()):
        table.add_row("interrupted, outcome unknown", f"{unknown:,}")
    return table
