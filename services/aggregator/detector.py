"""Says when a touchpoint's level has dropped below its own usual level, and when it is back: months of evidence.

Evidence is the mean of three Shiryaev-Roberts sums of betting e-values, one per size of drop to look for. While
nothing is wrong its expectation at any time is at most the time that has passed, so it reaches a budget of
12 months about once in 12 months, however many answers come and however often one looks.

Sources: Shiryaev (1963); Roberts (1966); Shin, Ramdas and Rinaldo (2022), "E-detectors"; Page (1954) for the
companion sums that say since when. Pure: time comes in with the answers, in seconds since 1970.
"""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct, field

from services.aggregator.baseline import DAY_SECONDS, LEAST_VARIANCE, PART_SECONDS, Baseline, Group, Policy

MONTH_SECONDS = 365.25 / 12 * DAY_SECONDS
MONTHS_PER_SECOND = 1.0 / MONTH_SECONDS
Z90 = 1.645
"""Standard normal quantile of a two-sided 90 % interval."""
MOST_EVIDENCE = 100.0
"""Evidence for a drop too small to tell of grows to no more than this many budgets."""
LEAST_LOW = 0.02


class Verdict(Struct, frozen=True):
    """What one answer has changed. `incident` is the id of the answer that tipped the drop.

    `began` is when the drop began, `since` when the level that is told began: the lower one, or after the drop
    the usual one. `n` answers since then make the level; `low` and `high` are its 90 % interval. Times are in
    seconds since 1970, levels from 0 (bad) to 1 (good), evidence and its budget in months.
    """

    kind: Literal["drop", "drop_over"]
    incident: str
    began: float
    since: float
    baseline: float
    level: float
    low: float
    high: float
    n: int
    evidence: float
    budget: float


class DropDetector(Struct, array_like=True, gc=False):
    """What is known of one touchpoint and metric; about 500 bytes as MessagePack, whatever comes."""

    baseline: Baseline = field(default_factory=Baseline)
    newest: float = 0.0
    small: float = 0.0
    medium: float = 0.0
    large: float = 0.0
    """The three sums, in months; during an incident `large` is that of the test for its end."""
    sensitive: float = 1.0
    """e to the power of the companion sum for small drops: 1 while all is well, and then answers are learned."""
    spell: float = 1.0
    """The same for medium drops (for recovery during an incident): when it last left 1, the new level began."""
    spell_since: float = 0.0
    spell_answers: int = 0
    spell_lifts: float = 0.0
    incident: str = ""
    began: float = 0.0
    drop: float = 0.0

    def observe(
        self, level: float, at: float, event_id: str, live: bool, policy: Policy, group: Group
    ) -> Verdict | None:
        """Take one answer's level; say what has changed by it. O(1). Answers that are not live only teach."""
        base = self.baseline
        gap = (at - self.newest) * MONTHS_PER_SECOND
        if gap > 0.0:
            self.newest = at
        elif live or gap == 0.0:
            gap = 0.0
        else:
            self._learn_late(level, at, policy)
            return None
        if not 0.0 <= at - base.part_starts < PART_SECONDS:
            self._enter(at, policy, group)
        base.answers += 1
        base.lifts += level - base.usual
        if 0.0 < level < 1.0:
            base.middling += level * (1.0 - level)
        if self.incident:
            return self._watch_for_end(level, at, gap, policy, group) if live else None
        if base.answers <= policy.warm_up_answers:
            self._warm_up(at, policy, group)
        elif self._gather(level, at, gap, policy, group):
            return self._weigh(event_id, live, policy, group)
        return None

    def _gather(self, level: float, at: float, gap: float, policy: Policy, group: Group) -> bool:
        """Bet on a drop with this answer; whether it is a bad one that brings the evidence to the budget."""
        base = self.baseline
        edge = base.cautious - level
        growth_small = 1.0 + base.bet_small * edge
        growth_medium = 1.0 + base.bet_medium * edge
        small = self.small = (self.small + gap) * growth_small
        medium = self.medium = (self.medium + gap) * growth_medium
        large = self.large = (self.large + gap) * (1.0 + base.bet_large * edge)
        if edge > 0.0:
            if self.spell == 1.0:
                self._begin_spell(at, level)
            self.sensitive *= growth_small
            self.spell *= growth_medium
            return small + medium + large >= 3.0 * policy.budget_months
        if self.spell > 1.0:
            self.spell = max(1.0, self.spell * growth_medium)
        if self.sensitive > 1.0:
            self.sensitive = max(1.0, self.sensitive * growth_small)
        elif base.answers >= base.due:
            base.learn(at, policy, group)
        return False

    def evidence(self) -> float:
        """How long all could go well until so much evidence came up by chance, in months."""
        return (self.small + self.medium + self.large) / 3.0

    def _warm_up(self, at: float, policy: Policy, group: Group) -> None:
        if self.baseline.answers >= min(self.baseline.due, policy.warm_up_answers):
            self.baseline.learn(at, policy, group)

    def _learn_late(self, level: float, at: float, policy: Policy) -> None:
        """History that comes after what is newer: it is no evidence. One from an incident is not usual either."""
        if not self.incident or at < self.began:
            self.baseline.learn_late(level, at, policy)
            self.spell_answers += 1

    def _enter(self, at: float, policy: Policy, group: Group) -> None:
        """A new part of the day begins with this answer."""
        base, evidence = self.baseline, self.evidence()
        calm = not self.incident and evidence < policy.calm_share * policy.budget_months
        trusted = not self.incident and evidence < policy.trusted_share * policy.budget_months
        base.enter(at, calm, trusted, policy, group)
        if not self.incident and base.is_waiting_too_long(at, calm, policy):
            base.learn(at, policy, group)

    def _weigh(self, event_id: str, live: bool, policy: Policy, group: Group) -> Verdict | None:
        """The evidence has reached the budget: raise the alarm if the drop is large enough."""
        drop = -self._spell_lift()
        if not live:
            self._forget_evidence()
            return None
        if drop < policy.minimum_effect:
            self._bound(MOST_EVIDENCE * policy.budget_months)
            return None
        self.incident, self.began, self.drop = event_id, self.spell_since, drop
        verdict = self._verdict("drop", policy, group)
        self._restart()
        return verdict

    def _bound(self, most: float) -> None:
        self.small, self.medium, self.large = (
            min(self.small, most),
            min(self.medium, most),
            min(self.large, most),
        )
        self.sensitive, self.spell = min(self.sensitive, most), min(self.spell, most)

    def _watch_for_end(
        self, level: float, at: float, gap: float, policy: Policy, group: Group
    ) -> Verdict | None:
        """The mirror test: whether the level is back, against one that is still down by half of the drop."""
        base, half = self.baseline, self.drop / 2.0
        low = max(LEAST_LOW, base.usual - half)
        growth = 1.0 + min(half / base.variance, 0.9 / low) * (level - low)
        self.large = (self.large + gap) * growth
        if growth > 1.0 and self.spell == 1.0:
            self._begin_spell(at, level)
        self.spell = max(1.0, self.spell * growth)
        if growth <= 1.0 or self.large < policy.over_days * DAY_SECONDS * MONTHS_PER_SECOND:
            return None
        verdict = self._verdict("drop_over", policy, group)
        self.incident = ""
        self._restart()
        return verdict

    def _restart(self) -> None:
        """All evidence starts from zero, and what waits is never learned."""
        self._forget_evidence()
        self.baseline.forget_waiting()
        self.baseline.day_counts = False

    def _forget_evidence(self) -> None:
        self.small = self.medium = self.large = 0.0
        self.sensitive = self.spell = 1.0

    def _begin_spell(self, at: float, level: float) -> None:
        """The answer at hand is the first of a new level."""
        base = self.baseline
        self.spell_since, self.spell_answers = at, base.answers - 1
        self.spell_lifts = base.lifts - (level - base.usual)

    def _spell_lift(self) -> float:
        """How far the level since the spell began is above the usual one."""
        return (self.baseline.lifts - self.spell_lifts) / max(1, self.baseline.answers - self.spell_answers)

    def _verdict(self, kind: Literal["drop", "drop_over"], policy: Policy, group: Group) -> Verdict:
        base, is_drop = self.baseline, kind == "drop"
        usual, count = base.level(policy, group), max(1, base.answers - self.spell_answers)
        level = min(1.0, max(0.0, usual + self._spell_lift()))
        margin = Z90 * math.sqrt(max(LEAST_VARIANCE, level * (1.0 - level)) / count)
        return Verdict(
            kind=kind,
            incident=self.incident,
            began=self.began,
            since=self.spell_since,
            baseline=usual,
            level=level,
            low=max(0.0, level - margin),
            high=min(1.0, level + margin),
            n=count,
            evidence=self.evidence() if is_drop else self.large,
            budget=policy.budget_months if is_drop else policy.over_days * DAY_SECONDS * MONTHS_PER_SECOND,
        )
