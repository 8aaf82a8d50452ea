"""Writes the dead letters of feedback.rejected: what could not be counted, and why."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.rejections import DeadLetter, Rejected
from schemas.topics import EVENTS

PAYLOAD_KEPT = 64 * 1024
"""Characters of a refused message that are kept with its dead letter."""


def dead_letter(
    why: Rejected, partition: int, offset: int, value: bytes | None, logged_at: float
) -> DeadLetter:
    """The letter for the message at this place in feedback.events, which was logged then (seconds since 1970)."""
    return DeadLetter(
        workspace="",
        reason=why.reason,
        detail=why.detail,
        src_topic=EVENTS.name,
        src_partition=partition,
        src_offset=offset,
        rejected_at=datetime.fromtimestamp(logged_at, UTC),
        payload=(value or b"").decode("utf-8", "replace")[:PAYLOAD_KEPT],
    )
