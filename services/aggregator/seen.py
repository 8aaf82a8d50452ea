"""Remembers which answers have been counted, so that a repeated event_id counts once."""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import Literal
from zlib import crc32

from msgspec import Struct

from schemas.feedback import Event
from services.aggregator.standing import STRETCH_OFFSETS, Standing

PRINT_BITS = 32
PRINT_MASK = (1 << PRINT_BITS) - 1

Judgement = Literal["new", "repeat", "conflict"]


class Stretch(Struct):
    """The ids first seen in one stretch of source offsets: 8-byte hashes, where in it each stood, 4-byte prints
    of the bodies; and those of the answers that later ones may replace."""

    version: int
    newest_received: float
    hashes: bytes
    places: bytes
    prints: bytes
    standing: list[Standing]


class SeenIds:
    """The ids of one partition: hash -> source offset and print of the message that was counted with it.

    A hash has 64 bits: of 40 million ids a day, one in 10 thousand days is taken for another. About 160 bytes
    an id are held in memory. An id is known for `kept_seconds` in the time of the log, and it depends on
    the log alone whether it is: a replay judges the same.
    """

    def __init__(self, kept_seconds: float) -> None:
        self._kept_seconds = kept_seconds
        self._entries: dict[int, int] = {}
        self._others: dict[int, list[int]] = {}
        self._stretches: dict[int, dict[int, int]] = {}
        self._newest: dict[int, float] = {}
        self._version: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def judge(self, event: Event, offset: int, newest_received: float) -> Judgement:
        """Whether this id has been counted before, and with the same body; remembers it otherwise.

        `newest_received` is the newest arrival up to this message. A replay is no repeat of itself.
        """
        key, entry = id_hash(event), offset << PRINT_BITS | body_print(event)
        known = self._entries.setdefault(key, entry)
        if known != entry and (before := self._before(key, offset, newest_received)) is not None:
            return "repeat" if before & PRINT_MASK == entry & PRINT_MASK else "conflict"
        if known != entry and entry not in self._others.get(key, ()):
            self._others.setdefault(key, []).append(entry)
        stretch = offset // STRETCH_OFFSETS
        self._stretches.setdefault(stretch, {})[key] = entry
        self._newest[stretch] = max(self._newest.get(stretch, 0.0), newest_received)
        self._version[stretch] = max(self._version.get(stretch, 0), offset + 1)
        return "new"

    def is_known(self, offset: int, newest_received: float) -> bool:
        """Whether what was counted at this source offset is still remembered."""
        return self._newest.get(offset // STRETCH_OFFSETS, 0.0) >= newest_received - self._kept_seconds

    def _before(self, key: int, offset: int, newest_received: float) -> int | None:
        """The entry of the last message before this offset that was counted with this id, if it is known."""
        entries = (self._entries[key], *self._others.get(key, ()))
        last = max((entry for entry in entries if entry >> PRINT_BITS <= offset), default=None)
        if last is None or last >> PRINT_BITS == offset:
            return None
        return last if self.is_known(last >> PRINT_BITS, newest_received) else None

    def pack(self, stretch: int, standing: list[Standing]) -> Stretch:
        """One stretch as it is kept in feedback.state."""
        ids = self._stretches[stretch]
        offsets = (entry >> PRINT_BITS for entry in ids.values())
        return Stretch(
            version=self._version[stretch],
            newest_received=self._newest[stretch],
            hashes=array("Q", ids.keys()).tobytes(),
            places=array("H", (offset % STRETCH_OFFSETS for offset in offsets)).tobytes(),
            prints=array("I", (entry & PRINT_MASK for entry in ids.values())).tobytes(),
            standing=standing,
        )

    def unpack(self, stretch: int, packed: Stretch) -> None:
        """Remember a restored stretch."""
        columns = array("Q", packed.hashes), array("H", packed.places), array("I", packed.prints)
        first = stretch * STRETCH_OFFSETS
        ids = {key: first + place << PRINT_BITS | body for key, place, body in zip(*columns, strict=True)}
        self._stretches[stretch] = ids
        self._newest[stretch], self._version[stretch] = packed.newest_received, packed.version
        for key, entry in ids.items():
            if self._entries.setdefault(key, entry) != entry:
                self._others.setdefault(key, []).append(entry)

    def forget(self, newest_committed: float, committed: int) -> list[int]:
        """Forget the stretches that not even a replay from `committed` knows any more; which they were."""
        old = [
            stretch
            for stretch, version in self._version.items()
            if version <= committed and not self.is_known(stretch * STRETCH_OFFSETS, newest_committed)
        ]
        for stretch in old:
            for key, entry in self._stretches.pop(stretch).items():
                self._drop(key, entry)
            del self._newest[stretch], self._version[stretch]
        return old

    def _drop(self, key: int, entry: int) -> None:
        others = self._others.pop(key, [])
        rest = [other for other in (self._entries.pop(key), *others) if other != entry]
        if rest:
            self._entries[key] = rest[0]
        if rest[1:]:
            self._others[key] = rest[1:]


def id_hash(event: Event) -> int:
    """An id counts within its touchpoint, because that is what shares a partition."""
    name = f"{event.workspace}\0{event.touchpoint}\0{event.event_id}"
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


def body_print(event: Event) -> int:
    """Tells bodies apart. A retry has another time of arrival, and no other when the sender named none."""
    occurred = "" if event.occurred_at == event.received_at else event.occurred_at.timestamp()
    parts = (event.metric, event.score, occurred, event.interaction_id, event.customer_id, event.comment)
    return crc32("\0".join(map(str, parts)).encode())
