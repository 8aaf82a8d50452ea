"""What the fold keeps for one touchpoint and metric, and what it has changed since the last flush."""

from __future__ import annotations

from msgspec import Struct, field

from schemas.feedback import Replaced
from schemas.rejections import DeadLetter
from schemas.scores import Resolution
from schemas.signals import Signal
from services.aggregator.detector import BaselineDrop
from services.aggregator.panes import LivePane, PaneId, SeriesId
from services.aggregator.rolling import Rolling


class Series(Struct):
    """One touchpoint and metric: its panes in memory, its windows, and its detector up to `version`."""

    id: SeriesId
    panes: dict[Resolution, dict[int, LivePane]]
    rolling: Rolling
    detector: BaselineDrop
    version: int = 0


class Changes(Struct):
    """What the messages since the last flush have changed."""

    panes: list[LivePane] = field(default_factory=list)
    series: set[SeriesId] = field(default_factory=set)
    scores: set[SeriesId] = field(default_factory=set)
    stretches: set[int] = field(default_factory=set)
    forgotten_panes: list[PaneId] = field(default_factory=list)
    forgotten_stretches: list[int] = field(default_factory=list)
    forgotten_marks: list[int] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
