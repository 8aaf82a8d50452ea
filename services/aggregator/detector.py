"""Says when a touchpoint's level has dropped below its own baseline, and when it is back.

`BaselineDrop` is the plain first detector: the mean of about the last 50 answers against a slowly learned
mean of about the last 1,000, in standard errors. It has no false-alarm budget; the sequential detector replaces it.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Literal

from msgspec import Struct

RECENT_ANSWERS = 50
"""The recent level forgets so that it weighs about this many answers."""
BASELINE_ANSWERS = 1000
WARM_UP_ANSWERS = 150
"""So many answers make the first baseline; before, nothing is said."""
ALARM_ERRORS = 4.5
"""A drop is this many standard errors of the recent level below the baseline ..."""
ALARM_LEVEL = 0.10
"""... and at least this much of the scale from 0 to 1."""
CALM_ERRORS = 1.0
"""Below this the level is as usual: a spell of worse answers is over."""
OVER_ERRORS = 2.0
"""A drop is over only when the level is no further below the baseline than this."""


class Verdict(Struct, frozen=True):
    """What one answer has changed. `incident` is the id of the answer that tipped the drop.

    Levels are from 0 (bad) to 1 (good): the baseline's, the recent one and its 95 % interval.
    """

    kind: Literal["drop", "drop_over"]
    incident: str
    since: datetime
    baseline: float
    level: float
    low: float
    high: float


class BaselineDrop(Struct):
    """What the detector knows of one touchpoint and metric. Levels are from 0 (bad) to 1 (good)."""

    answers: int = 0
    baseline: float = 0.0
    recent: float = 0.0
    spell_since: datetime | None = None
    incident: str = ""
    incident_level: float = 0.0

    def observe(self, level: float, occurred_at: datetime, event_id: str, live: bool) -> Verdict | None:
        """Take one answer's level; says what has changed by it. O(1). Only live answers change anything."""
        self.answers += 1
        self.recent += (level - self.recent) * max(1 / self.answers, 2 / (RECENT_ANSWERS + 1))
        errors = self.errors()
        if self.incident:
            self.incident_level = min(self.incident_level, self.recent)
            return self._end() if live and self._is_over(errors) else None
        self._follow_spell(errors, occurred_at)
        if self.answers > WARM_UP_ANSWERS and live and level < self.baseline and self._is_alarming(errors):
            self.incident, self.incident_level = event_id, self.recent
            return self._verdict("drop")
        # Bad spells teach, too: a baseline that learns good answers only would drift upwards.
        self.baseline += (level - self.baseline) * max(1 / self.answers, 1 / BASELINE_ANSWERS)
        return None

    def errors(self) -> float:
        """How many standard errors the recent level lies below the baseline."""
        variance = max(self.baseline * (1 - self.baseline), 0.01)
        return (self.baseline - self.recent) / math.sqrt(variance / RECENT_ANSWERS)

    def _is_alarming(self, errors: float) -> bool:
        return errors >= ALARM_ERRORS and self.baseline - self.recent >= ALARM_LEVEL

    def _is_over(self, errors: float) -> bool:
        """Over when half of the drop has been made good: the baseline is frozen meanwhile."""
        return errors < OVER_ERRORS and self.recent > (self.baseline + self.incident_level) / 2

    def _follow_spell(self, errors: float, occurred_at: datetime) -> None:
        if self.answers <= WARM_UP_ANSWERS or errors < CALM_ERRORS:
            self.spell_since = None
        elif self.spell_since is None:
            self.spell_since = occurred_at

    def _end(self) -> Verdict:
        over = self._verdict("drop_over")
        self.incident, self.spell_since = "", None
        return over

    def _verdict(self, kind: Literal["drop", "drop_over"]) -> Verdict:
        assert self.spell_since is not None, "an alarm needs more errors than the start of a spell"
        variance = max(self.recent * (1 - self.recent), 0.01)
        margin = 1.96 * math.sqrt(variance / RECENT_ANSWERS)
        return Verdict(
            kind=kind,
            incident=self.incident,
            since=self.spell_since,
            baseline=self.baseline,
            level=self.recent,
            low=max(0.0, self.recent - margin),
            high=min(1.0, self.recent + margin),
        )
