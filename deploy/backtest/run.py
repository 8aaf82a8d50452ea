"""Runs a backtest at the terminal: the aggregator's own code folds the answers, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.backtest.history import History
from deploy.backtest.report import alerts_table, conclusion, summary_table
from deploy.up.failure import Failure
from schemas.backtest import Said, Summary
from schemas.rules import Rules
from schemas.signals import Signal

LINE_LIMIT = 1_048_576
AT_ONCE = 500
"""Messages that are handed over together."""


def run(file: Path, rules: Rules, history: History) -> None:
    """Fold all of it and show what had been noticed. Raises Failure."""
    console = Console(soft_wrap=True, highlight=False)
    if not history.count:
        raise Failure("There are no answers in that time.")
    columns = (TextColumn("folding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=history.count)
        signals, summary = asyncio.run(_fold(file, history.messages, lambda n: progress.advance(bar, n)))
    console.print(alerts_table(signals))
    console.print(summary_table(summary, history.left_out))
    console.print(conclusion(rules, summary), markup=False)


async def _fold(
    file: Path, messages: Iterator[bytes], advance: Callable[[int], None]
) -> tuple[list[Signal], Summary]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.aggregator.backtest", str(file)),
        stdin=PIPE,
        stdout=PIPE,
        limit=LINE_LIMIT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    reading = asyncio.create_task(_read(process.stdout))
    try:
        await _feed(process.stdin, messages, advance)
        signals, summary = await reading
    finally:
        reading.cancel()
        with suppress(ProcessLookupError):
            process.kill()
        code = await process.wait()
    if summary is None:
        raise Failure(f"The fold ended early, with exit code {code}; its last words are above.")
    return signals, summary


async def _feed(stdin: StreamWriter, messages: Iterator[bytes], advance: Callable[[int], None]) -> None:
    waiting = 0
    with suppress(BrokenPipeError, ConnectionResetError):  # it has ended: _fold says how
        for message in messages:
            stdin.write(message.rstrip(b"\n") + b"\n")
            waiting += 1
            if waiting == AT_ONCE:
                await stdin.drain()
                advance(waiting)
                waiting = 0
        await stdin.drain()
        advance(waiting)
        stdin.close()


async def _read(stdout: StreamReader) -> tuple[list[Signal], Summary | None]:
    signals: list[Signal] = []
    async for line in stdout:
        said = msgspec.json.decode(line, type=Said)
        if said.summary is not None:
            return signals, said.summary
        assert said.signal is not None
        signals.append(said.signal)
    return signals, None
