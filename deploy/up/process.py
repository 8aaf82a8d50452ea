"""One part as a process of its own: in its own session, its output appended to its log, stopped in time."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from contextlib import suppress
from pathlib import Path

from deploy.up.parts import Part


async def start(part: Part, log: Path) -> Process:
    """Start a part on the leash: Ctrl-C does not reach it, and it cannot outlive this process."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.up.leash", part.module, *part.arguments),
            stdin=PIPE,
            stdout=output,
            stderr=STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | dict(part.environment),
            start_new_session=True,
        )


async def stop(process: Process, grace: float) -> bool:
    """End a process: asked first, killed after `grace` seconds. Says whether it ended when asked."""
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)
            return number is signal.SIGTERM
    raise AssertionError("a killed process ends")


def exit_words(code: int) -> str:
    """How a process ended, for people."""
    return f"ended with exit code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"


def last_line(log: Path) -> str:
    """The last thing a part said."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
