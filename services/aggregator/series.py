"""What the fold keeps for one touchpoint and metric, and what it has changed since it was last asked."""

from __future__ import annotations

from msgspec import Struct, field

from schemas.customers import CustomerAnswer
from schemas.feedback import Event, Replaced
from schemas.rejections import DeadLetter
from schemas.scoring import is_bad
from schemas.signals import Signal
from services.aggregator.baseline import Group, Policy
from services.aggregator.detector import DropDetector
from services.aggregator.panes import PaneId, Panes, SeriesId, pane_start
from services.aggregator.rolling import Rolling, rolling_over
from services.aggregator.seen import scope_of
from services.aggregator.signals import bad_contact, customer_answer


class Series:
    """One touchpoint and metric: its panes in memory, its windows, its detector and what that goes by."""

    __slots__ = (
        "changed",
        "detector",
        "group",
        "hours",
        "id",
        "minutes",
        "policy",
        "rolling",
        "scope",
        "unsaved",
    )

    def __init__(self, series_id: SeriesId, policy: Policy, group: Group) -> None:
        self.id = series_id
        self.scope = scope_of(*series_id)
        self.minutes, self.hours = Panes("1m"), Panes("1h")
        self.rolling: Rolling = rolling_over(self.minutes, self.hours)
        self.detector = DropDetector()
        self.policy, self.group = policy, group
        self.changed = self.unsaved = False

    def settle(self) -> list[PaneId]:
        """Bring the hours up to what was counted by the minute, and the windows to both; the panes that changed."""
        changed = []
        for start, counts in self.minutes.take_changes():
            self.hours.add(pane_start("1h", start), counts)
            self.rolling.take("1m", start, counts)
            changed.append(PaneId(self.id, "1m", start, 0))
        for start, counts in self.hours.take_changes():
            self.rolling.take("1h", start, counts)
            changed.append(PaneId(self.id, "1h", start, 0))
        return changed

    def advance(self, now: int) -> bool:
        """Let every window end now; whether a score has changed by that. The series must be settled."""
        return self.rolling.advance(self.minutes, self.hours, now)


class Outputs(Struct):
    """What readers have to be told of the messages since the last time."""

    groups: list[int] = field(default_factory=list)
    panes: set[PaneId] = field(default_factory=set)
    scores: list[Series] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
    customers: list[CustomerAnswer] = field(default_factory=list)

    def take_live(self, event: Event, partition: int, offset: int) -> None:
        """Have others told of one counted answer that is not imported."""
        if is_bad(event.metric, event.score):
            self.signals.append(bad_contact(event))
        if event.customer_id:
            self.customers.append(customer_answer(event, partition, offset))


class Unsaved(Struct):
    """What of the state differs from its records in feedback.state."""

    panes: set[PaneId] = field(default_factory=set)
    series: list[Series] = field(default_factory=list)
    stretches: set[int] = field(default_factory=set)
    forgotten_panes: list[PaneId] = field(default_factory=list)
    forgotten_stretches: list[int] = field(default_factory=list)
    forgotten_marks: list[int] = field(default_factory=list)
    forgotten_groups: list[int] = field(default_factory=list)
    forgotten_rulings: list[int] = field(default_factory=list)
