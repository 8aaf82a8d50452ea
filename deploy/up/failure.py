"""The one way in which a command says that it cannot go on."""

from __future__ import annotations

CANNOT_START = 2
"""Exit code when something outside has to be changed first: a port, a package, a running instance."""
GAVE_UP = 1
"""Exit code when a part did not run."""


class Failure(Exception):
    """One sentence for the person at the terminal, and the exit code."""

    def __init__(self, sentence: str, code: int = GAVE_UP) -> None:
        super().__init__(sentence)
        self.code = code
