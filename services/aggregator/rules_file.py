"""Reads `rules.toml`, and reads it again when it has changed: a bad file changes nothing and is complained about."""

from __future__ import annotations

from pathlib import Path

import structlog

from schemas.rules import DEFAULT, Rules, RulesError, parse

log = structlog.get_logger()


class RulesFile:
    """The last good rules of a file; `problem` says in words why the file as it is now cannot be used.

    A file that does not exist means the defaults. Before a first good reading `rules` is None: then the rules that
    a partition went by last still count.
    """

    def __init__(self, path: Path) -> None:
        self.rules: Rules | None = None
        self.problem = ""
        self._path = path
        self._read: bytes | None = None

    def look(self) -> None:
        """Read the file if it has changed. Never raises."""
        try:
            content = self._path.read_bytes() if self._path.exists() else b""
        except OSError as error:
            self._read = None
            self._refuse(str(error.strerror))
            return
        if content == self._read:
            return
        self._read = content
        try:
            self.rules = parse(content.decode()) if content else DEFAULT
        except UnicodeDecodeError:
            self._refuse("it is not UTF-8")
        except RulesError as error:
            self._refuse(str(error))
        else:
            self.problem = ""
            log.info("rules read", file=str(self._path), overrides=len(self.rules.override))

    def _refuse(self, why: str) -> None:
        if why != self.problem:
            log.error("rules refused, those before still count", file=str(self._path), reason=why)
        self.problem = why
