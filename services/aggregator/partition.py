"""The fold: takes the answers of one source partition in order and knows what has changed by them.

Pure: what it is after a message depends only on the messages before it. Each piece of state carries the
source offset it includes, so a message that comes again after a crash changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime
from typing import Literal

from schemas.feedback import Event, decode
from schemas.rejections import DeadLetter, Reason, Rejected, refuse
from schemas.scores import Resolution
from schemas.scoring import Metric, is_bad, level
from schemas.signals import Signal
from schemas.topics import EVENTS
from services.aggregator.detector import BaselineDrop
from services.aggregator.panes import (
    LivePane,
    PaneId,
    PaneState,
    SeriesId,
    is_cold,
    is_out_of_reach,
    pane_start,
    resolutions_of,
    segment_of,
)
from services.aggregator.rolling import rolling_over
from services.aggregator.seen import SeenIds, Stretch
from services.aggregator.series import Changes, Series
from services.aggregator.signals import bad_contact, drop_or_over
from services.aggregator.standing import (
    STRETCH_OFFSETS,
    Standing,
    StandingAnswers,
    interaction_hash,
    replaced_by,
)

Outcome = Literal["counted", "duplicate", "replayed"] | Reason
Move = tuple[LivePane, int, int]
"""A pane, a score, and +1 to count it or -1 to take it back."""
DAY_SECONDS = 86_400.0
PAYLOAD_KEPT = 64 * 1024
"""Characters of a refused message that are kept with its dead letter."""


class Partition:
    """The state of one partition of feedback.events. `next` is the source offset expected next.

    `marks` remembers, for the offsets to which a replay may go back, when the newest answer before had arrived
    (seconds since 1970): by it the same message is counted in the same pane however often it is folded.
    """

    def __init__(self, number: int, next_offset: int, ids_kept_seconds: float = DAY_SECONDS) -> None:
        self.number = number
        self.next = self.committed = next_offset
        self.newest_received = 0.0
        self.marks = {next_offset: 0.0}
        self.series: dict[tuple[str, str, Metric], Series] = {}
        """By their ids, which are such tuples: a plain one finds them too, and costs less to make."""
        self.cold: dict[PaneId, LivePane] = {}
        self.seen = SeenIds(ids_kept_seconds)
        self.standing = StandingAnswers()
        self.changes = Changes()

    def apply(self, offset: int, value: bytes | None, logged_at: float) -> Outcome:
        """Fold the message at this source offset; `logged_at` (seconds since 1970) is its time in the log."""
        self.next = offset + 1
        event = decode(value)
        if isinstance(event, Rejected):
            self.changes.dead_letters.append(self._dead_letter(event, offset, value, logged_at))
            return event.reason
        received, occurred = event.received_at.timestamp(), event.occurred_at.timestamp()
        self.newest_received = max(self.newest_received, received)
        judgement = self.seen.judge(event, offset, self.newest_received)
        if judgement == "conflict":
            conflict = refuse(Reason.CONFLICTING_DUPLICATE)
            self.changes.dead_letters.append(self._dead_letter(conflict, offset, value, logged_at))
            return conflict.reason
        if judgement == "repeat":
            return "duplicate"
        self.changes.stretches.add(offset // STRETCH_OFFSETS)
        series = self._series_of((event.workspace, event.touchpoint, event.metric))
        moves = self._moves(series, resolutions_of(received - occurred), occurred, (event.score, 1), offset)
        if event.interaction_id:
            moves += self._take_back(series, event, offset)
        if not (self._count(moves, offset) | self._observe(series, event, offset)):
            return "replayed"
        self.changes.scores.add(series.id)
        return "counted"

    def advance(self, now: int) -> None:
        """Let the windows of every series end now, and remember whose scores have changed by it."""
        self._settle()
        for series in self.series.values():
            if series.rolling.advance(series.panes, now):
                self.changes.scores.add(series.id)

    def note_commit(self, offset: int) -> None:
        """From now on no replay goes back beyond this offset."""
        self.committed = offset
        passed = [mark for mark in self.marks if mark < offset]
        for mark in passed:
            del self.marks[mark]
        self.changes.forgotten_marks += passed

    def forget(self) -> None:
        """Let go of panes that neither an answer nor a replay can reach any more, and of old ids.

        What is old is measured from the committed offset: a replay may go back to there.
        """
        newest, committed = self.marks[self.committed], self.committed
        self.advance(int(newest))  # a clock that is behind must not leave a forgotten pane in a window
        done = {
            pane.id
            for pane in self._all_panes()
            if pane.state.version <= committed and is_out_of_reach(pane.id, newest, committed)
        }
        for pane in done:
            if pane.segment:
                del self.cold[pane]
            else:
                del self.series[pane.series].panes[pane.resolution][pane.start]
        stretches = self.seen.forget(newest, committed)
        for stretch in stretches:
            self.standing.forget(stretch)
        self.changes.panes = [pane for pane in self.changes.panes if pane.id not in done]
        self.changes.stretches.difference_update(stretches)
        self.changes.forgotten_panes += done
        self.changes.forgotten_stretches += stretches

    def take_changes(self) -> Changes:
        """What has changed since this was last asked."""
        self.marks[self.next] = self.newest_received
        self._settle()
        for pane in self.changes.panes:
            pane.settled = None
        changes, self.changes = self.changes, Changes()
        return changes

    def take_signals(self) -> list[Signal]:
        """What has been noticed since this was last asked."""
        noticed, self.changes.signals = self.changes.signals, []
        return noticed

    def pane(self, pane: PaneId) -> LivePane:
        """The pane in memory."""
        return (
            self.cold[pane] if pane.segment else self.series[pane.series].panes[pane.resolution][pane.start]
        )

    def change(self, pane: LivePane) -> None:
        """Have the next flush write this pane."""
        if pane.touch():
            self.changes.panes.append(pane)

    def restore_pane(self, pane: PaneId, state: PaneState) -> None:
        """Put back a pane from feedback.state; `rebuild_windows` must follow."""
        if pane.segment:
            self.cold[pane] = LivePane(pane, state)
        else:
            self._series_of(pane.series).panes[pane.resolution][pane.start] = LivePane(pane, state)

    def restore_marks(self, marks: dict[int, float]) -> None:
        """Put back the marks from feedback.state; the one of the committed offset is where the fold goes on."""
        known = [mark for mark in marks if mark <= self.committed]
        self.newest_received = marks[max(known)] if known else 0.0
        self.marks = {**marks, self.committed: self.newest_received}

    def restore_stretch(self, number: int, stretch: Stretch) -> None:
        """Put back ids, and answers that may be replaced, from feedback.state."""
        self.seen.unpack(number, stretch)
        for answer in stretch.standing:
            self.standing.add(answer)

    def restore_series(self, series_id: SeriesId, version: int, detector: BaselineDrop) -> None:
        """Put back a series' detector from feedback.state."""
        series = self._series_of(series_id)
        series.version, series.detector = version, detector

    def rebuild_windows(self, now: int) -> None:
        """Make the running totals from the restored panes."""
        for series in self.series.values():
            series.rolling = rolling_over(series.panes)
            series.rolling.advance(series.panes, now)

    def _series_of(self, name: tuple[str, str, Metric]) -> Series:
        series = self.series.get(name)
        if series is None:
            series_id = SeriesId(*name)
            panes: dict[Resolution, dict[int, LivePane]] = {"1m": {}, "1h": {}}
            series = Series(series_id, panes, rolling_over(panes), BaselineDrop())
            self.series[series_id] = series
        return series

    def _pane_for(self, series: Series, resolution: Resolution, start: int, offset: int) -> LivePane:
        """The pane that an answer fills: the one kept in memory, or for a cold answer one of its segment."""
        if is_cold(resolution, start, self.newest_received):
            pane = PaneId(series.id, resolution, start, segment_of(offset))
            return self.cold.get(pane) or self.cold.setdefault(pane, LivePane(pane))
        panes = series.panes[resolution]
        return panes.get(start) or panes.setdefault(start, LivePane(PaneId(series.id, resolution, start, 0)))

    def _moves(
        self,
        series: Series,
        resolutions: tuple[Resolution, ...],
        occurred: float,
        change: tuple[int, int],
        offset: int,
    ) -> list[Move]:
        score, sign = change
        return [
            (self._pane_for(series, resolution, pane_start(resolution, occurred), offset), score, sign)
            for resolution in resolutions
        ]

    def _take_back(self, series: Series, event: Event, offset: int) -> list[Move]:
        """Remember the answer as the one that stands in its interaction, and take back the one it replaces."""
        interaction = interaction_hash(event)
        received, occurred = event.received_at.timestamp(), event.occurred_at.timestamp()
        minutes = "1m" in resolutions_of(received - occurred)
        self.standing.add(Standing(offset, interaction, event.event_id, event.score, occurred, minutes))
        before = self.standing.before(interaction, offset)
        if before is None or not self.seen.is_known(before.offset, self.newest_received):
            return []
        self.changes.replaced.append(replaced_by(event, before, self.number))
        resolutions: tuple[Resolution, ...] = ("1m", "1h") if before.minutes else ("1h",)
        return self._moves(series, resolutions, before.occurred, (before.score, -1), offset)

    def _count(self, moves: list[Move], offset: int) -> bool:
        """Make the moves of the answer at this source offset, except in panes that have them already."""
        fresh = [move for move in moves if offset >= move[0].state.version]
        for pane, score, sign in fresh:
            self.change(pane)
            pane.state.tally.add(pane.id.series.metric, score, sign)
        for pane, _, _ in fresh:
            pane.state.version = offset + 1
        return bool(fresh)

    def _settle(self) -> None:
        """Bring the windows up to what has been counted."""
        for pane in self.changes.panes:
            if pane.id.segment == 0:
                self.series[pane.id.series].rolling.settle(pane)
            pane.settled = copy(pane.state.tally)

    def _observe(self, series: Series, event: Event, offset: int) -> bool:
        if offset < series.version:
            return False
        series.version = offset + 1
        self.changes.series.add(series.id)
        live = not event.imported
        if live and is_bad(event.metric, event.score):
            self.changes.signals.append(bad_contact(event))
        u = level(event.metric, event.score)
        verdict = series.detector.observe(u, event.occurred_at, event.event_id, live)
        if verdict:
            self.changes.signals.append(drop_or_over(verdict, event))
        return True

    def _dead_letter(self, why: Rejected, offset: int, value: bytes | None, logged_at: float) -> DeadLetter:
        return DeadLetter(
            workspace="",
            reason=why.reason,
            detail=why.detail,
            src_topic=EVENTS.name,
            src_partition=self.number,
            src_offset=offset,
            rejected_at=datetime.fromtimestamp(logged_at, UTC),
            payload=(value or b"").decode("utf-8", "replace")[:PAYLOAD_KEPT],
        )

    def _all_panes(self) -> Iterator[LivePane]:
        yield from self.cold.values()
        for series in self.series.values():
            for panes in series.panes.values():
                yield from panes.values()
