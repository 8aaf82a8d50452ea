"""Knows which restored pieces of state include messages that were not committed, so that a replay skips these."""

from __future__ import annotations

from services.aggregator.panes import PaneId, SeriesId

Piece = PaneId | SeriesId


class Ahead:
    """The source offset after the last message that a restored piece includes, and after the last that any does."""

    def __init__(self) -> None:
        self.until = 0
        self._by_piece: dict[Piece, int] = {}

    def note(self, piece: Piece, version: int, committed: int) -> None:
        """A piece was restored that includes every message before this version."""
        if version > committed:
            self._by_piece[piece] = version
            self.until = max(self.until, version)

    def includes(self, piece: Piece, offset: int) -> bool:
        """Whether a piece has the message at this source offset already."""
        return offset < self._by_piece.get(piece, 0)

    def version(self, piece: Piece, following: int) -> int:
        """Up to which offset a piece includes every message when the one at `following` is expected next."""
        return max(following, self._by_piece.get(piece, 0))

    def forget(self, committed: int) -> None:
        """Nothing is ahead once the commit has caught up."""
        if committed >= self.until:
            self._by_piece.clear()
