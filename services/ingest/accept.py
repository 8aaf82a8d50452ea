"""Turns the items of a request into events, each judged on its own, and says which were refused and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from schemas.feedback import Arrival, Event, accept
from schemas.rejections import Reason, Rejected, refuse
from services.ingest.admit import Sender
from services.ingest.body import Item
from services.ingest.ids import RANDOM_BYTES, uuid7

EVENT_LIMIT_BYTES = 32 * 1024

Entropy = Callable[[int], bytes]


class Refused(Struct, frozen=True):
    """One item that was not accepted, as the sender is told."""

    index: int
    reason: Reason
    detail: str


class Judged(Struct, frozen=True):
    """What became of the items of one request."""

    events: list[Event]
    rejected: list[Refused]


def judge(items: Iterable[Item], sender: Sender, now: datetime, entropy: Entropy) -> Judged:
    """Accept what is good; a broken item does not touch its neighbours."""
    judged = Judged([], [])
    unix_ms = int(now.timestamp() * 1000)
    for index, item in enumerate(items):
        arrival = Arrival(sender.workspace, now, sender.imported, uuid7(unix_ms, entropy(RANDOM_BYTES)))
        outcome = _judge_one(item, arrival)
        if isinstance(outcome, Rejected):
            judged.rejected.append(Refused(index, outcome.reason, outcome.detail))
        else:
            judged.events.append(outcome)
    return judged


def _judge_one(item: Item, arrival: Arrival) -> Event | Rejected:
    if len(item if isinstance(item, bytes) else memoryview(item)) > EVENT_LIMIT_BYTES:
        return refuse(Reason.EVENT_TOO_LARGE)
    return accept(item, arrival)


def verdict(judged: Judged, alone: bool) -> Rejected | None:
    """Why the request as a whole is refused, if it is; `alone` when its body was one object, not a batch."""
    if judged.events:
        return None
    if alone and judged.rejected and judged.rejected[0].reason is Reason.JSON_INVALID:
        return refuse(Reason.JSON_INVALID)
    return refuse(Reason.NOTHING_ACCEPTED)


class Receipt(Struct, frozen=True):
    """The body of a 202."""

    accepted: int
    rejected: list[Refused]


def receipt(judged: Judged) -> bytes:
    """What the sender gets when the broker has acknowledged every good one."""
    return msgspec.json.encode(Receipt(len(judged.events), judged.rejected))
