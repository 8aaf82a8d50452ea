"""Waiting for what will be, with a deadline instead of a guess."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 15.0


async def until(ask: Callable[[], Awaitable[T]], why: str, seconds: float = DEADLINE) -> T:
    """Ask again until the answer is true; the answer."""
    end = time.monotonic() + seconds
    while True:
        if answer := await ask():
            return answer
        assert time.monotonic() < end, f"not within {seconds} s: {why}"
        await asyncio.sleep(0.02)
