"""Knows which answer of an interaction stands: a later one to the same question replaces it."""

from __future__ import annotations

from bisect import bisect_left, insort
from datetime import UTC, datetime
from operator import attrgetter
from typing import Self

from msgspec import Struct
from xxhash import xxh3_64_intdigest

from schemas.feedback import Event, Replaced

STRETCH_OFFSETS = 512
"""Ids and answers are kept together by stretches of this many source offsets: one state record each."""

_offset = attrgetter("offset")


class Standing(Struct, frozen=True, array_like=True):
    """What has to be known of an answer to take it back: `interaction` is a hash, `occurred` in seconds since
    1970, `minutes` says whether it was counted in a minute pane, too."""

    offset: int
    interaction: int
    event_id: str
    score: int
    occurred: float
    minutes: bool

    @classmethod
    def of(cls, event: Event, question: int, offset: int, occurred: float, minutes: bool) -> Self:
        """The answer at this source offset; `question` stands for its touchpoint and metric."""
        interaction = xxh3_64_intdigest(event.interaction_id.encode(), question) >> 1
        return cls(offset, interaction, event.event_id, event.score, occurred, minutes)


class StandingAnswers:
    """The answers of one partition that belong to an interaction, in the order of the log.

    About 400 bytes an answer are held in memory, as long as its id is.
    """

    def __init__(self) -> None:
        self._by_interaction: dict[int, list[Standing]] = {}
        self._by_stretch: dict[int, list[Standing]] = {}

    def add(self, answer: Standing) -> None:
        """Remember an answer. Again, if it comes by a replay, changes nothing."""
        answers = self._by_interaction.setdefault(answer.interaction, [])
        if answer not in answers:
            insort(answers, answer, key=_offset)
            self._by_stretch.setdefault(answer.offset // STRETCH_OFFSETS, []).append(answer)

    def before(self, interaction: int, offset: int) -> Standing | None:
        """The answer that stood when the message at this source offset came."""
        answers = self._by_interaction.get(interaction, [])
        place = bisect_left(answers, offset, key=_offset)
        return answers[place - 1] if place else None

    def of_stretch(self, stretch: int) -> list[Standing]:
        """The answers in one stretch of source offsets."""
        return self._by_stretch.get(stretch, [])

    def forget(self, stretch: int) -> None:
        """Forget the answers in one stretch of source offsets."""
        for gone in self._by_stretch.pop(stretch, []):
            answers = self._by_interaction[gone.interaction]
            answers.remove(gone)
            if not answers:
                del self._by_interaction[gone.interaction]


def replaced_by(event: Event, before: Standing, partition: int) -> Replaced:
    """What ClickHouse has to be told of the answer that this one replaces."""
    return Replaced(
        workspace=event.workspace,
        touchpoint=event.touchpoint,
        metric=event.metric,
        score=before.score,
        event_id=before.event_id,
        occurred_at=datetime.fromtimestamp(before.occurred, UTC),
        received_at=event.received_at,
        src_partition=partition,
        src_offset=before.offset,
    )
