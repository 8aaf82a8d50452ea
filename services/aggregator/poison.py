"""A breaker on unreadable messages: a run of them stops the worker before it empties the topic into the dead letters.

A few unreadable messages are dead letters. Very many are a broken sender, and somebody has to see it: the worker ends
with `Exit.POISONED`. The message that trips the breaker is neither committed nor a dead letter, nor is any after it.

Guaranteed: the verdict on a message depends on the 999 messages of its partition before it, and on nothing else. A
worker that starts, or takes a partition over, reads those before the committed offset once more (`Windows.restore`),
so it trips at the very same offset, whatever was flushed in between and however often a supervisor tries. Of a run, at
most `in_a_row` - 1 messages of a partition become dead letters; of a mixture, at most `share` of any 1,000 messages
(of the first 1,000 that a log ever had: whatever is unreadable). That is why a partition is judged and not a worker:
which partitions a worker has and how they take turns is chance. What a log let go of (after 7 days) is not remembered.
"""

from __future__ import annotations

from collections import Counter, deque
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from msgspec import Struct

from schemas.feedback import UNREADABLE
from schemas.rejections import REASONS, Reason
from schemas.topics import EVENTS, REJECTED

RECENT = 1000
"""The share is one of so many messages, and of no fewer."""


class Policy(Struct, frozen=True):
    """How many unreadable messages in a row (0: no limit), and what share of the last 1,000, are too many."""

    in_a_row: int = 100
    share: float = 0.05


class Refusal(NamedTuple):
    """One unreadable message: the how-manieth of its partition it is here, and when it was logged."""

    place: int
    offset: int
    reason: Reason
    logged_at: float


class Trip(Struct, frozen=True):
    """Why to stop: `count` unreadable messages from `first` on; `offset` is the first that was not taken."""

    rule: Literal["in_a_row", "share"]
    count: int
    first: Refusal
    offset: int
    reason: Reason

    def sentence(self, partition: int) -> str:
        """What happened, what it means, and what to do."""
        where = f"partition {partition} of {EVENTS.name}"
        since = datetime.fromtimestamp(self.first.logged_at, UTC).isoformat(timespec="seconds")
        many = "in a row" if self.rule == "in_a_row" else f"among the last {RECENT:,}"
        off = "AGGREGATOR_POISON_IN_A_ROW=0" if self.rule == "in_a_row" else "AGGREGATOR_POISON_SHARE=1"
        return (
            f"{self.count:,} messages {many} of {where} cannot be read, beginning at offset {self.first.offset} "
            f"({since}), most often {self.reason} ({REASONS[self.reason]}): a sender is broken. Nothing from offset "
            f"{self.offset} on was taken, and nothing is lost. Fix or stop the sender; to go on anyway set {off} "
            f"until they are passed: they go to {REJECTED.name}, and `aftertouch replay-rejected` puts "
            f"repaired ones back"
        )


class Breaker:
    """What one partition's last messages were, as far as it matters. Outcomes come in the order of offsets."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._seen = 0
        self._in_a_row = 0
        self._recent: deque[Refusal] = deque()
        self._run_began = Refusal(0, 0, Reason.JSON_INVALID, 0.0)

    def pass_over(self, count: int) -> None:
        """Note that so many messages in a row could be read."""
        if count:
            self._seen += count
            self._in_a_row = 0

    def take(self, offset: int, outcome: str, logged_at: float) -> Trip | None:
        """Note what became of the message at this offset; why to stop, if it is one too many."""
        if outcome not in UNREADABLE:
            self.pass_over(1)
            return None
        self._seen += 1
        refusal = Refusal(self._seen, offset, Reason(outcome), logged_at)
        if not self._in_a_row:
            self._run_began = refusal
        self._in_a_row += 1
        self._recent.append(refusal)
        while self._recent[0].place <= self._seen - RECENT:
            self._recent.popleft()
        return self._verdict(offset)

    def _verdict(self, offset: int) -> Trip | None:
        if 0 < self._policy.in_a_row <= self._in_a_row:
            run = [refusal for refusal in self._recent if refusal.place >= self._run_began.place]
            return Trip("in_a_row", self._in_a_row, self._run_began, offset, _most_frequent(run))
        if self._seen >= RECENT and len(self._recent) > self._policy.share * RECENT:
            recent = list(self._recent)
            return Trip("share", len(recent), recent[0], offset, _most_frequent(recent))
        return None


def _most_frequent(refusals: list[Refusal]) -> Reason:
    return Counter(refusal.reason for refusal in refusals).most_common(1)[0][0]
