"""Runs an `aftertouch` command as a person would, against a real ingest app that only remembers."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime

from msgspec import Struct


class Run(Struct, frozen=True):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def row(self, name: str) -> int:
        """The number in the row of the final table that begins with `name`."""
        for line in self.out.splitlines():
            cells = [cell.strip() for cell in line.split("│")]
            if len(cells) > 2 and cells[1].startswith(name):
                return int(cells[2].replace(",", ""))
        return 0


def now() -> datetime:
    return datetime.now(UTC)


async def aftertouch(*arguments: str, env: dict[str, str] | None = None) -> Run:
    """Run it to its end."""
    process = await start(*arguments, env=env)
    out, err = await process.communicate()
    assert process.returncode is not None
    return Run(process.returncode, out.decode(), err.decode())


async def start(*arguments: str, env: dict[str, str] | None = None) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.cli",
        *arguments,
        env=os.environ | {"COLUMNS": "200", "AFTERTOUCH_DATA": "/nonexistent"} | (env or {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
