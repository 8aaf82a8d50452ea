"""Judges the dead letters again, pure: which can be read now, which still cannot, and which are none of our business.

A letter is known by its key, the message it is about: `feedback.events/3/41207`. When its answer is back on
feedback.events, an empty message under that key is written to feedback.rejected, and it is not replayed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from schemas.feedback import UNREADABLE, Event, decode
from schemas.rejections import DeadLetter, Reason, Rejected
from schemas.topics import EVENTS

REPLAYABLE = UNREADABLE | {Reason.TOO_LATE, Reason.IN_THE_FUTURE}
"""Refused before they were counted, for what the message says. All others are settled: replaying could count twice."""
REPLACED = "\N{REPLACEMENT CHARACTER}"
"""Stands in a payload for bytes that were no UTF-8: it is not what was sent."""


class Wanted(Struct, frozen=True):
    """Which letters to look at, and payloads to take instead of theirs; None when there are no repairs."""

    reason: Reason | None = None
    since: datetime | None = None
    repaired: Mapping[str, bytes] | None = None


class Refused(Struct, frozen=True):
    """A letter that still cannot be read, and why."""

    letter: DeadLetter
    why: Rejected


class Pile:
    """All dead letters, sorted. `ready`, `refused`, `done` and `settled` are by key."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.keys: set[str] = set()
        self.ready: dict[str, tuple[Event, int]] = {}
        self.refused: dict[str, Refused] = {}
        self.settled: dict[str, Reason] = {}
        self.done: set[str] = set()
        self.foreign = 0

    def take(self, partition: int, key: bytes | None, value: bytes | None) -> None:
        """Look at one message of feedback.rejected, from this partition of it."""
        name = (key or b"").decode("utf-8", "replace")
        if value is None:
            self._finish(name)
            return
        try:
            letter = msgspec.json.decode(value, type=DeadLetter)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.foreign += 1
            return
        if name in self.done or name in self.keys or not self._is_wanted(name, letter):
            return
        self.keys.add(name)
        self._judge(name, letter, partition)

    def still_refused(self) -> Counter[Reason]:
        """How many letters cannot be read, by what is wrong with them now."""
        return Counter(refused.why.reason for refused in self.refused.values())

    def unknown(self) -> list[str]:
        """Repairs of letters that are not there, or were not looked at."""
        return sorted((self._wanted.repaired or {}).keys() - self.keys - self.done)

    def _finish(self, name: str) -> None:
        self.done.add(name)
        for pile in (self.ready, self.refused, self.settled):
            pile.pop(name, None)

    def _is_wanted(self, name: str, letter: DeadLetter) -> bool:
        return (
            (self._wanted.reason is None or letter.reason is self._wanted.reason)
            and (self._wanted.since is None or letter.rejected_at >= self._wanted.since)
            and (self._wanted.repaired is None or name in self._wanted.repaired)
        )

    def _judge(self, name: str, letter: DeadLetter, partition: int) -> None:
        if letter.src_topic != EVENTS.name or letter.reason not in REPLAYABLE:
            self.settled[name] = letter.reason
            return
        verdict = self._read(name, letter)
        if isinstance(verdict, Rejected):
            self.refused[name] = Refused(letter, verdict)
        else:
            self.ready[name] = (verdict, partition)

    def _read(self, name: str, letter: DeadLetter) -> Event | Rejected:
        if self._wanted.repaired is not None:
            return decode(self._wanted.repaired[name])
        if REPLACED in letter.payload:
            return Rejected(letter.reason, letter.detail)
        return decode(letter.payload.encode())
