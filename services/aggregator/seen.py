"""Remembers which answers have been counted, so that a repeated event_id counts once."""

from __future__ import annotations

from array import array
from hashlib import blake2b

from msgspec import Struct

from schemas.feedback import Event

STRETCH_OFFSETS = 512
"""Ids are kept together by stretches of this many source offsets: one state record each."""


class Stretch(Struct):
    """The ids first seen in one stretch of source offsets: 8-byte hashes, and where in it each stood."""

    version: int
    newest_received: float
    hashes: bytes
    places: bytes


class SeenIds:
    """The ids of one partition: hash -> source offset of the first message that carried it.

    A hash has 64 bits: of 40 million ids a day, one in 10 thousand days is taken for another. About 160 bytes
    an id are held in memory, for at least the time `forget_before` is given.
    """

    def __init__(self) -> None:
        self._first_offset: dict[int, int] = {}
        self._stretches: dict[int, dict[int, int]] = {}
        self._newest: dict[int, float] = {}
        self._version: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._first_offset)

    def is_repeat(self, event: Event, offset: int) -> bool:
        """Whether an earlier message had this id; remembers it otherwise. A replay is no repeat of itself."""
        key = id_hash(event)
        first = self._first_offset.setdefault(key, offset)
        if first != offset:
            return True
        stretch, received = offset // STRETCH_OFFSETS, event.received_at.timestamp()
        self._stretches.setdefault(stretch, {})[key] = offset
        self._newest[stretch] = max(self._newest.get(stretch, 0.0), received)
        self._version[stretch] = max(self._version.get(stretch, 0), offset + 1)
        return False

    def pack(self, stretch: int) -> Stretch:
        """One stretch as it is kept in feedback.state."""
        ids = self._stretches[stretch]
        return Stretch(
            version=self._version[stretch],
            newest_received=self._newest[stretch],
            hashes=array("Q", ids.keys()).tobytes(),
            places=array("H", (offset % STRETCH_OFFSETS for offset in ids.values())).tobytes(),
        )

    def unpack(self, stretch: int, packed: Stretch) -> None:
        """Remember a restored stretch."""
        hashes, places = array("Q", packed.hashes), array("H", packed.places)
        ids = {h: stretch * STRETCH_OFFSETS + place for h, place in zip(hashes, places, strict=True)}
        self._stretches[stretch] = ids
        self._newest[stretch], self._version[stretch] = packed.newest_received, packed.version
        for key, offset in ids.items():
            self._first_offset[key] = min(offset, self._first_offset.get(key, offset))

    def forget_before(self, received: float, committed: int) -> list[int]:
        """Forget the committed stretches in which every answer arrived earlier than that; which they were."""
        old = [
            stretch
            for stretch, newest in self._newest.items()
            if newest < received and self._version[stretch] <= committed
        ]
        for stretch in old:
            for key, offset in self._stretches.pop(stretch).items():
                if self._first_offset.get(key) == offset:
                    del self._first_offset[key]
            del self._newest[stretch], self._version[stretch]
        return old


def id_hash(event: Event) -> int:
    """An id counts within its touchpoint, because that is what shares a partition."""
    name = f"{event.workspace}\0{event.touchpoint}\0{event.event_id}"
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
