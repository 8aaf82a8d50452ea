"""Remembers which answers have been counted, so that a repeated event_id counts once."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from msgspec import Struct
from xxhash import xxh3_64_intdigest

from schemas.feedback import Event
from schemas.scoring import Metric
from services.aggregator.standing import STRETCH_OFFSETS, Standing

PRINT_BITS = 32
PRINT_MASK = (1 << PRINT_BITS) - 1
SEED_MASK = (1 << 64) - 1


class Scope(NamedTuple):
    """64 bits that stand for a touchpoint, and for touchpoint and metric: the question that was asked."""

    touchpoint: int
    question: int


def scope_of(workspace: str, touchpoint: str, metric: Metric) -> Scope:
    """The scope of ids and interactions."""
    where = f"{workspace}/{touchpoint}"
    return Scope(xxh3_64_intdigest(where.encode()), xxh3_64_intdigest(f"{where}/{metric}".encode()))


class Judgement(Enum):
    """What an id says of its message: not counted yet, counted already, or counted with another body."""

    NEW = auto()
    REPEAT = auto()
    CONFLICT = auto()


class Stretch(Struct, array_like=True):
    """The ids first seen in one stretch of source offsets: 8-byte hashes, and 8-byte entries that count offsets from
    the stretch's first; and those of the answers that later ones may replace."""

    version: int
    newest_received: float
    hashes: bytes
    entries: bytes
    standing: list[Standing]


class _Columns:
    """A stretch in memory."""

    __slots__ = ("changed", "entries", "first", "hashes", "newest_received", "version")

    def __init__(self, number: int) -> None:
        self.first = number * STRETCH_OFFSETS << PRINT_BITS
        self.hashes, self.entries = array("Q"), array("Q")
        self.newest_received = 0.0
        self.version = 0
        self.changed = False

    def ids(self) -> Iterator[tuple[int, int]]:
        """Hash and entry of each id."""
        for key, entry in zip(self.hashes, self.entries, strict=True):
            yield key, self.first + entry


class SeenIds:
    """The ids of one partition: hash -> source offset and print of the message that was counted with it.

    A hash has 64 bits: of 40 million ids a day, one in 10 thousand days is taken for another. About 140 bytes
    an id are held in memory. An id is known for `kept_seconds` in the time of the log, and it depends on
    the log alone whether it is: a replay judges the same.
    """

    def __init__(self, kept_seconds: float) -> None:
        self._kept_seconds = kept_seconds
        self._entries: dict[int, int] = {}
        self._others: dict[int, list[int]] = {}
        self._stretches: dict[int, _Columns] = {}
        self._changed: set[int] = set()

    def __len__(self) -> int:
        return len(self._entries)

    def judge(self, event: Event, scope: Scope, offset: int, newest_received: float) -> Judgement:
        """Whether this id has been counted before, and with the same body; remembers it otherwise.

        An id counts within its touchpoint, because that is what shares a partition. `newest_received` is the newest
        arrival up to this message. A replay is no repeat of itself.
        """
        key = xxh3_64_intdigest(event.event_id.encode(), scope.touchpoint)
        body = body_print(event, scope.question)
        entry = offset << PRINT_BITS | body
        known = self._entries.setdefault(key, entry)
        if known is not entry:
            before = self._before(key, offset, newest_received)
            if before is not None:
                return Judgement.REPEAT if before & PRINT_MASK == body else Judgement.CONFLICT
            if entry == known or entry in self._others.get(key, ()):
                return Judgement.NEW
            self._others.setdefault(key, []).append(entry)
        number = offset // STRETCH_OFFSETS
        stretch = self._stretches.get(number)
        if stretch is None:
            stretch = self._stretches[number] = _Columns(number)
        stretch.hashes.append(key)
        stretch.entries.append(entry - stretch.first)
        stretch.newest_received, stretch.version = newest_received, offset + 1
        if not stretch.changed:
            stretch.changed = True
            self._changed.add(number)
        return Judgement.NEW

    def take_changed(self) -> set[int]:
        """The stretches that have changed since this was last asked."""
        changed, self._changed = self._changed, set()
        for number in changed:
            self._stretches[number].changed = False
        return changed

    def is_known(self, offset: int, newest_received: float) -> bool:
        """Whether what was counted at this source offset is still remembered."""
        stretch = self._stretches.get(offset // STRETCH_OFFSETS)
        return stretch is not None and stretch.newest_received >= newest_received - self._kept_seconds

    def _before(self, key: int, offset: int, newest_received: float) -> int | None:
        """The entry of the last message before this offset that was counted with this id, if it is known."""
        entries = (self._entries[key], *self._others.get(key, ()))
        last = max((entry for entry in entries if entry >> PRINT_BITS <= offset), default=None)
        if last is None or last >> PRINT_BITS == offset:
            return None
        return last if self.is_known(last >> PRINT_BITS, newest_received) else None

    def pack(self, number: int, standing: list[Standing]) -> Stretch:
        """One stretch as it is kept in feedback.state."""
        stretch = self._stretches[number]
        return Stretch(
            version=stretch.version,
            newest_received=stretch.newest_received,
            hashes=stretch.hashes.tobytes(),
            entries=stretch.entries.tobytes(),
            standing=standing,
        )

    def unpack(self, number: int, packed: Stretch) -> None:
        """Remember a restored stretch."""
        stretch = self._stretches[number] = _Columns(number)
        stretch.hashes, stretch.entries = array("Q", packed.hashes), array("Q", packed.entries)
        stretch.newest_received, stretch.version = packed.newest_received, packed.version
        for key, entry in stretch.ids():
            if self._entries.setdefault(key, entry) != entry:
                self._others.setdefault(key, []).append(entry)

    def forget(self, newest_committed: float, committed: int) -> list[int]:
        """Forget the stretches that not even a replay from `committed` knows any more; which they were."""
        old = [
            number
            for number, stretch in self._stretches.items()
            if stretch.version <= committed and not self.is_known(number * STRETCH_OFFSETS, newest_committed)
        ]
        for number in old:
            for key, entry in self._stretches.pop(number).ids():
                self._drop(key, entry)
        self._changed.difference_update(old)
        return old

    def _drop(self, key: int, entry: int) -> None:
        others = self._others.pop(key, [])
        rest = [other for other in (self._entries.pop(key), *others) if other != entry]
        if rest:
            self._entries[key] = rest[0]
        if rest[1:]:
            self._others[key] = rest[1:]


def body_print(event: Event, question: int) -> int:
    """Tells bodies apart; `question` stands for touchpoint and metric.

    A retry has another time of arrival, and no other when the sender named none.
    """
    seed = question + event.score
    if event.occurred_at != event.received_at:
        seed += int(event.occurred_at.timestamp() * 1e6)
    words = f"{event.interaction_id}\0{event.customer_id}\0{event.comment}".encode()
    return xxh3_64_intdigest(words, seed & SEED_MASK) & PRINT_MASK
