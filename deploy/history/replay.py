"""Posts prepared history in time order, one request after the other, and collects what the server refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from deploy.history.convert import NotTaken, Ready
from deploy.history.door import Door

BATCH_EVENTS = 500
BATCH_BYTES = 900_000
"""Both a little within what ingest takes."""


class Replayed:
    """What became of the posted answers so far."""

    def __init__(self) -> None:
        self.accepted = 0
        self.refused: list[NotTaken] = []


async def replay(
    ready: Sequence[Ready], door: Door, replayed: Replayed, advance: Callable[[int], None]
) -> None:
    """Post all; `advance` is told how many answers each request settled. Raises Failure."""
    for batch in batches(ready):
        posted = await door.post([answer.body for answer in batch])
        replayed.accepted += posted.accepted
        for item in posted.rejected:
            replayed.refused.append(NotTaken(batch[item.index].line, "", item.reason, item.detail))
        advance(len(batch))


def batches(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    """The answers in order, in as few requests as ingest takes."""
    batch: list[Ready] = []
    size = 0
    for answer in ready:
        if batch and (len(batch) == BATCH_EVENTS or size + len(answer.body) + 1 > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(answer)
        size += len(answer.body) + 1
    if batch:
        yield batch
