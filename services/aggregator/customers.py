"""The fold of the customers worker: takes one partition of feedback.customers in order. Pure, as the windows' is.

The windows worker writes an answer again after a crash, but never one before it has written all earlier ones of its
source partition: so an answer at or below the highest source offset that has been read is one that was read before.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct, field

from schemas.customers import CustomerAnswer
from schemas.feedback import LATE_LIMIT
from schemas.scoring import is_bad
from schemas.signals import Signal
from services.aggregator.contacts import Customer

Outcome = Literal["changed", "passed", "repeated", "replayed", "unreadable"]
CustomerName = tuple[str, str]
"""Workspace and customer_id."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

_answer = msgspec.json.Decoder(CustomerAnswer)


class Mark(Struct, frozen=True, array_like=True):
    """How far the log had come at an offset (`version`): newest arrival, and each source partition's next offset."""

    version: int
    newest_received: datetime = BEGINNING
    sources: dict[int, int] = {}


class Unsaved(Struct):
    """What of the state differs from its records."""

    customers: set[CustomerName] = field(default_factory=set)
    forgotten: list[CustomerName] = field(default_factory=list)
    forgotten_marks: list[int] = field(default_factory=list)


class CustomersPartition:
    """The customers of one partition who had a bad contact lately. `next` is the offset expected next.

    A bad contact is forgotten `within` and the longest lateness after it, by the newest arrival in the log: so the
    same messages always meet the same memory. `marks` has what a replay starts with, by the offsets it may go back to.
    """

    def __init__(self, number: int, next_offset: int, within: timedelta) -> None:
        self.number = number
        self.next = self.committed = next_offset
        self.customers: dict[CustomerName, Customer] = {}
        self.newest_received = BEGINNING
        self.marks = {next_offset: Mark(next_offset)}
        self.signals: list[Signal] = []
        self.unsaved = Unsaved()
        self._sources: dict[int, int] = {}
        self._within = within

    def apply(self, offset: int, value: bytes | None) -> Outcome:
        """Fold the message at this offset."""
        self.next = offset + 1
        try:
            answer = _answer.decode(value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return "unreadable"
        if answer.src_offset < self._sources.get(answer.src_partition, 0):
            return "repeated"
        self._sources[answer.src_partition] = answer.src_offset + 1
        self.newest_received = max(self.newest_received, answer.contact.received_at)
        name = (answer.workspace, answer.contact.customer_id)
        customer = self.customers.get(name)
        if customer is None:
            if not is_bad(answer.metric, answer.contact.score):
                return "passed"
            customer = self.customers[name] = Customer()
        return self._take(name, customer, answer, offset)

    def _take(self, name: CustomerName, customer: Customer, answer: CustomerAnswer, offset: int) -> Outcome:
        if offset < customer.version:
            return "replayed"
        customer.forget(self._oldest(self.newest_received))
        before = (customer.contacts, customer.incident)
        signal = customer.take(answer, self._within)
        if signal is not None:
            self.signals.append(signal)
        if (customer.contacts, customer.incident) == before:
            return "passed"
        customer.version = offset + 1
        self.unsaved.customers.add(name)
        return "changed"

    def forget(self) -> None:
        """Let go of customers whose bad contacts are too old for any answer that may come, also by a replay."""
        oldest = self._oldest(self.marks[self.committed].newest_received)
        settled = ((n, c) for n, c in self.customers.items() if c.version <= self.committed)
        gone = [name for name, one in settled if all(c.past.occurred_at < oldest for c in one.contacts)]
        for name in gone:
            del self.customers[name]
        self.unsaved.customers.difference_update(gone)
        self.unsaved.forgotten += gone

    def note_commit(self, offset: int) -> None:
        """From now on no replay goes back beyond this offset."""
        self.committed = offset
        passed = [mark for mark in self.marks if mark < offset]
        for mark in passed:
            del self.marks[mark]
        self.unsaved.forgotten_marks += passed

    def take_signals(self) -> list[Signal]:
        """What has been noticed since this was last asked."""
        noticed, self.signals = self.signals, []
        return noticed

    def take_unsaved(self) -> Unsaved:
        """What has to be saved since this was last asked."""
        self.marks[self.next] = Mark(self.next, self.newest_received, dict(self._sources))
        unsaved, self.unsaved = self.unsaved, Unsaved()
        return unsaved

    def restore(self, customers: dict[CustomerName, Customer], marks: dict[int, Mark]) -> None:
        """Put back what was saved; the mark of the committed offset is where the fold goes on."""
        self.customers = customers
        start = marks[max(known)] if (known := [at for at in marks if at <= self.committed]) else Mark(0)
        self.newest_received, self._sources = start.newest_received, dict(start.sources)
        self.marks = {**marks, self.committed: start}

    def _oldest(self, newest: datetime) -> datetime:
        return max(newest, BEGINNING + self._within + LATE_LIMIT) - self._within - LATE_LIMIT
