"""Answers for tests that need one of a certain kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from schemas.feedback import Event

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PLAIN = Event(
    workspace="default",
    touchpoint="web.checkout",
    metric="csat",
    score=4,
    event_id="e1",
    occurred_at=NOW,
    received_at=NOW,
)


def answer(event_id: str, **changes: Any) -> Event:
    """A CSAT of 4, but for the changes."""
    return replace(PLAIN, event_id=event_id, **changes)
