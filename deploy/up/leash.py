"""Runs a module as `python -m` does, and ends with the process that started it, even when that one is killed.

Its standard input is a pipe that only the starter holds open: the kernel closes it whatever that dies of.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading


def main() -> None:
    """`python -m deploy.up.leash MODULE ARGUMENTS...`"""
    threading.Thread(target=_end_with_starter, name="leash", daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_starter() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
