"""How a worker ends: a crash is its answer to anything unexpected, and the supervisor starts it again."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import NoReturn

STOP_GRACE_SECONDS = 10


class Exit(IntEnum):
    """Exit codes, so that the supervisor's log tells why."""

    CRASHED = 1
    MISCONFIGURED = 2
    RECORDS_MISSING = 3
    STOP_TIMED_OUT = 4
    STALLED = 5
    POISONED = 6


def end_now(code: Exit, why: str) -> NoReturn:
    """End the process at once: nothing that is not acknowledged may be committed on the way out."""
    print(f"aggregator: {why} (exit code {code.value}, {code.name.lower()})", file=sys.stderr, flush=True)
    os._exit(code)


@contextmanager
def or_end(what: str) -> Iterator[None]:
    """End the process on any error: a worker that starts anew goes on from the last commit."""
    try:
        yield
    except Exception as error:
        end_now(Exit.CRASHED, f"{what}: {error!r}")


def arm_stop_deadline() -> None:
    """End the process if stopping takes too long: Faust's own stop can wait for ever."""
    why = f"did not stop within {STOP_GRACE_SECONDS} s"
    timer = threading.Timer(STOP_GRACE_SECONDS, end_now, (Exit.STOP_TIMED_OUT, why))
    timer.daemon = True
    timer.start()
