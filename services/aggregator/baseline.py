"""Knows what is usual at one touchpoint: its level by the time of day, how sure that is, and how much it sways.

Pure: time comes in with the answers, in seconds since 1970. Levels are from 0 (bad) to 1 (good).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import Struct, field

DAY_SECONDS = 86_400.0
PARTS = 8
PART_SECONDS = DAY_SECONDS / PARTS
WHOLE_DAY = 300
"""A day of this many answers teaches how much the level sways; one of fewer teaches by the square of its share."""
DAY_ANSWERS = 8
"""Days with fewer answers do not teach that."""
SWAY_KEPT = 0.97
"""Of what is known of the swaying, this much outlasts a taught day."""
GROUP_SWAY_WEIGHT = 30.0
"""The group's swaying counts as much as this many whole days of a touchpoint's own: a day says little about a
variance, and a touchpoint that is thought to sway when it does not misses small drops."""
LEARNED_AT_ONCE = 8
LEARNED_SHARE = 0.01
"""Answers are learned by so many together, or by this share of what is known: learning costs more than waiting."""
LEAST_VARIANCE, LEAST_LEVEL = 0.01, 0.01
"""Keep bets finite where nearly all answers are good, or bad."""


class Policy(Struct, frozen=True):
    """The rules of drop detection; a changed rule is applied to the same state.

    `budget_months` is the evidence that makes a drop: were nothing wrong, so much would be seen about once
    in so many months. Sizes and the minimum effect are parts of the scale from 0 to 1.
    """

    budget_months: float = 12.0
    small: float = 0.05
    medium: float = 0.10
    large: float = 0.20
    minimum_effect: float = 0.03
    warm_up_answers: int = 150
    over_days: float = 14.0
    half_life_days: float = 60.0
    prior_answers: float = 15.0
    part_prior_answers: float = 150.0
    longest_wait_days: float = 45.0
    outnumbering_answers: int = 150
    calm_share: float = 0.05
    """Below this share of the budget, evidence raises no suspicion. A day that begins so teaches how levels sway,"""
    trusted_share: float = 0.1
    """unless evidence ends it above this share. To ask for calm at its end, too, would leave out just those days
    that sway."""


class Group(Struct, frozen=True):
    """What touchpoints of one workspace and metric have in common: the prior of each.

    `middling` is the mean of u(1 - u) over answers u: 0 unless there are answers between good and bad.
    `sway` is the variance of a day's level around the usual one, beyond chance.
    """

    level: float = 0.8
    middling: float = 0.0
    sway: float = 0.01**2


ALONE = Group()
GROUP_ANSWERS_OF_ONE = 300.0
"""No touchpoint counts for more answers than this in its group's level."""
START_ANSWERS, START_SWAY_DAYS = 15.0, 2.0
"""What `ALONE` weighs against the touchpoints of a group."""


class Baseline(Struct, array_like=True, gc=False):
    """The usual level of one touchpoint and metric, forgetting by half in 60 days.

    `answers` and `lifts` (the sum of answers minus what was usual) only ever grow; what belongs to a stretch of
    answers is the difference to a mark. So an answer costs two additions.
    """

    answers: int = 0
    lifts: float = 0.0
    middling: float = 0.0
    # What the present part of the day goes by; valid until `settle`.
    usual: float = 0.5
    variance: float = 0.25
    cautious: float = 0.5
    bet_small: float = 0.0
    bet_medium: float = 0.0
    bet_large: float = 0.0
    # Learned, with the weights of `learned_at`.
    part_weights: list[float] = field(default_factory=lambda: [0.0] * PARTS)
    part_sums: list[float] = field(default_factory=lambda: [0.0] * PARTS)
    part_middling: float = 0.0
    learned_at: float = 0.0
    # Waiting to be learned: counted up to the mark, by the part of the day.
    waiting: list[int] = field(default_factory=lambda: [0] * PARTS)
    waiting_sums: list[float] = field(default_factory=lambda: [0.0] * PARTS)
    part_starts: float = -DAY_SECONDS
    part_answers: int = 0
    part_lifts: float = 0.0
    due: int = 0
    """Learning is worth its cost from this number of answers on."""
    day: int = 0
    day_counts: bool = False
    day_answers: int = 0
    day_lifts: float = 0.0
    sway: float = 0.0
    sway_weight: float = 0.0

    def weight(self) -> float:
        """How many answers are known, older ones counting less."""
        return sum(self.part_weights)

    def level(self, policy: Policy, group: Group) -> float:
        """The usual level over the day."""
        prior = policy.prior_answers
        return (sum(self.part_sums) + prior * group.level) / (self.weight() + prior)

    def enter(self, at: float, calm: bool, trusted: bool, policy: Policy, group: Group) -> None:
        """Begin the part of the day that holds `at`; a day that began `calm` and ended `trusted` teaches."""
        self.set_aside()
        day = int(at // DAY_SECONDS)
        if day > self.day:
            if self.day_counts and trusted:
                self._end_day(policy)
            self.day, self.day_counts = day, calm and self.answers >= policy.warm_up_answers
            self.day_answers, self.day_lifts = self.answers, self.lifts
        self.part_starts = at // PART_SECONDS * PART_SECONDS
        self.settle(policy, group)

    def set_aside(self) -> None:
        """Count the present answers as waiting in their part of the day."""
        count = self.answers - self.part_answers
        if count:
            part = self._part()
            self.waiting[part] += count
            self.waiting_sums[part] += self.lifts - self.part_lifts + self.usual * count
        self.part_answers, self.part_lifts = self.answers, self.lifts

    def is_waiting_too_long(self, at: float, calm: bool, policy: Policy) -> bool:
        """Whether waiting answers must be learned even in a bad spell, lest a wrong baseline stay for ever."""
        waiting = sum(self.waiting)
        if not waiting:
            return False
        if at - self.learned_at > policy.longest_wait_days * DAY_SECONDS:
            return True
        return calm and waiting > policy.outnumbering_answers and waiting > self.weight()

    def learn(self, at: float, policy: Policy, group: Group) -> None:
        """Learn all that waits."""
        self.set_aside()
        kept = self._kept(at, policy)
        self.part_weights = [kept * w + n for w, n in zip(self.part_weights, self.waiting, strict=True)]
        self.part_sums = [kept * s + n for s, n in zip(self.part_sums, self.waiting_sums, strict=True)]
        self.part_middling = kept * self.part_middling + self.middling
        self.learned_at = max(at, self.learned_at)
        self.forget_waiting()
        self.settle(policy, group)

    def learn_late(self, level: float, at: float, policy: Policy) -> None:
        """Learn one answer from before others that are learned already, as if it had come in its time."""
        age_days = max(0.0, self.learned_at - at) / DAY_SECONDS
        weight = 2.0 ** (-age_days / policy.half_life_days)
        part = int(at % DAY_SECONDS // PART_SECONDS)
        self.part_weights[part] += weight
        self.part_sums[part] += weight * level
        self.part_middling += weight * level * (1.0 - level)
        self.answers += 1
        self.part_answers += 1
        self.day_answers += 1
        self.due += 1

    def forget_waiting(self) -> None:
        """Let go of the answers that wait."""
        self.waiting, self.waiting_sums, self.middling = [0] * PARTS, [0.0] * PARTS, 0.0
        self.part_answers, self.part_lifts = self.answers, self.lifts
        self.due = self.answers + max(LEARNED_AT_ONCE, int(LEARNED_SHARE * self.weight()))

    def settle(self, policy: Policy, group: Group) -> None:
        """Work out what the present part of the day goes by, from what is learned."""
        part, prior, part_prior = self._part(), policy.prior_answers, policy.part_prior_answers
        weight = self.weight() + prior
        level = self.level(policy, group)
        usual = (self.part_sums[part] + part_prior * level) / (self.part_weights[part] + part_prior)
        middling = (self.part_middling + prior * group.middling) / weight
        variance = max(LEAST_VARIANCE, usual * (1.0 - usual) - middling)
        doubt = math.sqrt(variance / weight + self._sway(group))
        self.usual, self.variance = usual, variance
        self.cautious = max(LEAST_LEVEL, usual - doubt)
        most = 0.6 / (1.0 - self.cautious) if self.cautious < 1.0 else math.inf
        self.bet_small = min(policy.small / variance, most)
        self.bet_medium = min(policy.medium / variance, most)
        self.bet_large = min(policy.large / variance, most)

    def _sway(self, group: Group) -> float:
        total = self.sway + GROUP_SWAY_WEIGHT * group.sway
        return max(0.0, total / (self.sway_weight + GROUP_SWAY_WEIGHT))

    def _end_day(self, policy: Policy) -> None:
        count = self.answers - self.day_answers
        if count >= DAY_ANSWERS:
            lift = (self.lifts - self.day_lifts) / count
            chance = self.variance / count + self.variance / (self.weight() + policy.prior_answers)
            weight = min(1.0, (count / WHOLE_DAY) ** 2)
            self.sway = SWAY_KEPT * self.sway + weight * (lift * lift - chance)
            self.sway_weight = SWAY_KEPT * self.sway_weight + weight

    def _kept(self, at: float, policy: Policy) -> float:
        days = max(0.0, at - self.learned_at) / DAY_SECONDS
        return float(2.0 ** (-days / policy.half_life_days))

    def _part(self) -> int:
        return int(self.part_starts % DAY_SECONDS // PART_SECONDS)


def group_of(baselines: Iterable[Baseline]) -> Group:
    """What these touchpoints have in common. The same baselines in the same order make the same group."""
    answers, days = START_ANSWERS, START_SWAY_DAYS
    total, middling, sway = answers * ALONE.level, answers * ALONE.middling, days * ALONE.sway
    for baseline in baselines:
        weight = baseline.weight()
        if weight > 0.0:
            counted = min(weight, GROUP_ANSWERS_OF_ONE) / weight
            answers += counted * weight
            total += counted * sum(baseline.part_sums)
            middling += counted * baseline.part_middling
        days += baseline.sway_weight
        sway += baseline.sway
    return Group(total / answers, middling / answers, max(0.0, sway / days))
