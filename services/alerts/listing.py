"""Beside the path: how readers page through alerts, and what one looks like to them. Pure."""

from __future__ import annotations

import base64
import binascii

import msgspec

from schemas.alerts import Alert
from services.alerts.store import Page, Position


def cursor_of(position: Position) -> str:
    """A position as text without meaning for the caller."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def position_of(cursor: str) -> Position:
    """The position behind a cursor; ValueError when it is none of ours."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = msgspec.json.decode(raw, type=Position)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise ValueError("not a cursor") from error
    if position.opened_at.tzinfo is None:
        raise ValueError("not a cursor")
    return position


def alert_json(alert: Alert) -> bytes:
    """One alert with all its fields, also those that are empty."""
    return msgspec.json.encode(msgspec.structs.asdict(alert))


def page_json(page: Page) -> bytes:
    """A page of alerts and the cursor of the next."""
    following = cursor_of(page.following) if page.following else None
    return msgspec.json.encode(
        {"alerts": [msgspec.structs.asdict(alert) for alert in page.alerts], "next": following}
    )
