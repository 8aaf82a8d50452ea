"""The fold: takes the answers of one source partition in order and knows what has changed by them.

Pure: what it is after a message depends only on the messages before it. A message that comes again after a crash
changes nothing: what was restored and is `ahead` of the commit says which source offsets it includes already.
"""

from __future__ import annotations

from typing import Literal

from schemas.feedback import Event, decode
from schemas.rejections import Reason, Rejected, refuse
from schemas.scoring import Metric, level
from schemas.signals import Signal
from services.aggregator.ahead import Ahead, Piece
from services.aggregator.baseline import DAY_SECONDS, Group
from services.aggregator.counts import UNITS
from services.aggregator.detector import DropDetector
from services.aggregator.groups import Groups, Name
from services.aggregator.letters import dead_letter
from services.aggregator.panes import (
    COLD_AFTER,
    HOUR,
    MINUTE,
    PaneId,
    Panes,
    SeriesId,
    fills_minutes,
    segment_of,
)
from services.aggregator.rolling import rolling_over
from services.aggregator.rules import Rulings
from services.aggregator.seen import Judgement, SeenIds, Stretch
from services.aggregator.series import Outputs, Series, Unsaved
from services.aggregator.signals import drop_or_over
from services.aggregator.standing import Standing, StandingAnswers, replaced_by

Outcome = Literal["counted", "duplicate", "replayed"] | Reason


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
        self.cold: dict[PaneId, int] = {}
        self.seen = SeenIds(ids_kept_seconds)
        self.standing = StandingAnswers()
        self.groups = Groups()
        self.rulings = Rulings()
        self.outputs = Outputs()
        self.unsaved = Unsaved()
        self.ahead = Ahead()

    def apply(self, offset: int, value: bytes | None, logged_at: float) -> Outcome:
        """Fold the message at this source offset; `logged_at` (seconds since 1970) is its time in the log."""
        self.next = offset + 1
        if offset >= self.rulings.turns_at:
            self.turn(offset)
        event = decode(value)
        if isinstance(event, Rejected):
            return self._refuse(event, offset, value, logged_at)
        received, at_once = event.received_at.timestamp(), event.occurred_at == event.received_at
        occurred = received if at_once else event.occurred_at.timestamp()
        if received > self.newest_received:
            self.newest_received = received
            if self.groups.is_new_day(received):
                self._begin_day(offset)
        series = self._series_of((event.workspace, event.touchpoint, event.metric))
        judgement = self.seen.judge(event, series.scope, offset, self.newest_received)
        if judgement is Judgement.REPEAT:
            return "duplicate"
        if judgement is Judgement.CONFLICT:
            return self._refuse(refuse(Reason.CONFLICTING_DUPLICATE), offset, value, logged_at)
        minutes = fills_minutes(received - occurred)
        fresh = self._count(series, occurred, UNITS[event.score], minutes, offset)
        if event.interaction_id:
            fresh |= self._take_back(series, event, occurred, minutes, offset)
        fresh |= self._observe(series, event, occurred, offset)
        if not fresh:
            return "replayed"
        if not series.changed:
            series.changed = True
            self.outputs.scores.append(series)
        return "counted"

    def turn(self, offset: int) -> None:
        """Have every series go by the rules that count for the message at this offset."""
        self.rulings.turn(offset)
        for series in self.series.values():
            series.policy = self.rulings.policy_of(series.id)

    def advance(self, now: int) -> None:
        """Let the windows of every series end now, and remember whose scores have changed by it."""
        self._settle()
        for series in self.series.values():
            if series.advance(now) and not series.changed:
                series.changed = True
                self.outputs.scores.append(series)

    def note_commit(self, offset: int) -> None:
        """From now on no replay goes back beyond this offset."""
        self.committed = offset
        self.ahead.forget(offset)
        passed = [mark for mark in self.marks if mark < offset]
        for mark in passed:
            del self.marks[mark]
        self.unsaved.forgotten_marks += passed
        self.unsaved.forgotten_groups += self.groups.forget(offset)
        self.unsaved.forgotten_rulings += self.rulings.forget(offset)

    def forget(self) -> None:
        """Let go of panes that neither an answer nor a replay can reach any more, and of old ids.

        A replay may go back to the committed offset, and counts nothing from there on in a pane that is cold there.
        """
        newest, committed = self.marks[self.committed], self.committed
        self.advance(int(newest))  # a clock that is behind must not leave a forgotten pane in a window
        done = [pane for pane in self.cold if pane.segment < segment_of(committed)]
        for pane in done:
            del self.cold[pane]
        for series in self.series.values():
            for panes in (series.minutes, series.hours):
                done += [PaneId(series.id, panes.resolution, start, 0) for start in panes.forget(newest)]
        stretches = self.seen.forget(newest, committed)
        for stretch in stretches:
            self.standing.forget(stretch)
        self.outputs.panes.difference_update(done)
        self.unsaved.panes.difference_update(done)
        self.unsaved.stretches.difference_update(stretches)
        self.unsaved.forgotten_panes += done
        self.unsaved.forgotten_stretches += stretches

    def take_outputs(self) -> Outputs:
        """What readers have to be told since this was last asked."""
        self._settle()
        for series in self.outputs.scores:
            series.changed = False
        self.outputs.groups = self.groups.take_new()
        outputs, self.outputs = self.outputs, Outputs()
        self.unsaved.panes |= outputs.panes
        return outputs

    def take_unsaved(self) -> Unsaved:
        """What has to be saved since this was last asked, right after `take_outputs`."""
        self.marks[self.next] = self.newest_received
        self.unsaved.stretches |= self.seen.take_changed()
        for series in self.unsaved.series:
            series.unsaved = False
        unsaved, self.unsaved = self.unsaved, Unsaved()
        return unsaved

    def take_signals(self) -> list[Signal]:
        """What has been noticed since this was last asked."""
        noticed, self.outputs.signals = self.outputs.signals, []
        return noticed

    def settled(self, name: tuple[str, str, Metric]) -> Series:
        """A series whose windows are up to what has been counted."""
        series = self.series[name]
        self.outputs.panes.update(series.settle())
        return series

    def counts(self, pane: PaneId) -> int:
        """What has been counted in a pane in memory."""
        if pane.segment:
            return self.cold[pane]
        series = self.series[pane.series]
        return (series.minutes if pane.resolution == "1m" else series.hours).counts[pane.start]

    def version(self, piece: Piece) -> int:
        """The source offset up to which a piece of the state includes every message."""
        return self.ahead.version(piece, self.next)

    def restore_pane(self, pane: PaneId, version: int, counts: int) -> None:
        """Put back a pane from feedback.state; `rebuild_windows` must follow."""
        self.ahead.note(pane, version, self.committed)
        if pane.segment:
            self.cold[pane] = counts
        else:
            series = self._series_of(pane.series)
            (series.minutes if pane.resolution == "1m" else series.hours).add(pane.start, counts)

    def restore_marks(self, marks: dict[int, float]) -> None:
        """Put back the marks from feedback.state; the one of the committed offset is where the fold goes on."""
        known = [mark for mark in marks if mark <= self.committed]
        self.newest_received = marks[max(known)] if known else 0.0
        self.marks = {**marks, self.committed: self.newest_received}

    def restore_groups(self, by_offset: dict[int, dict[Name, Group]]) -> None:
        """Put back the groups from feedback.state, after the marks and before the series."""
        self.groups.restore(by_offset, self.committed, self.newest_received)
        for series in self.series.values():
            series.group = self.groups.of(series.id)

    def restore_stretch(self, number: int, stretch: Stretch) -> None:
        """Put back ids, and answers that may be replaced, from feedback.state."""
        self.seen.unpack(number, stretch)
        for answer in stretch.standing:
            self.standing.add(answer)

    def restore_series(self, series_id: SeriesId, version: int, detector: DropDetector) -> None:
        """Put back a series' detector from feedback.state."""
        self.ahead.note(series_id, version, self.committed)
        self._series_of(series_id).detector = detector

    def rebuild_windows(self, now: int) -> None:
        """Make the running totals from the restored panes."""
        for series in self.series.values():
            series.minutes.before.clear()
            series.hours.before.clear()
            series.rolling = rolling_over(series.minutes, series.hours)
            series.advance(now)

    def _series_of(self, name: tuple[str, str, Metric]) -> Series:
        series = self.series.get(name)
        if series is None:
            series_id = SeriesId(*name)
            policy, group = self.rulings.policy_of(series_id), self.groups.of(series_id)
            series = self.series[series_id] = Series(series_id, policy, group)
        return series

    def _begin_day(self, offset: int) -> None:
        baselines = ((series.id, series.detector.baseline) for series in self.series.values())
        self.groups.begin(offset, self.newest_received, baselines)
        for series in self.series.values():
            series.group = self.groups.of(series.id)

    def _count(self, series: Series, occurred: float, counts: int, minutes: bool, offset: int) -> bool:
        """Add to the panes of this moment, except those that have it already; whether there is another.

        What is added to a minute in memory is added to its hour when the series is settled.
        """
        minute, hour = int(occurred) // MINUTE * MINUTE, int(occurred) // HOUR * HOUR
        age = self.newest_received - minute
        if minutes and age < COLD_AFTER["1m"] and offset >= self.ahead.until:
            series.minutes.add(minute, counts)
            return True
        by_minute = minutes and self._add(series, series.minutes, minute, counts, offset)
        by_hour = self._add(series, series.hours, hour, counts, offset)
        if by_minute and age < COLD_AFTER["1m"]:
            series.hours.add(hour, -counts)
        return by_minute or by_hour

    def _add(self, series: Series, panes: Panes, start: int, counts: int, offset: int) -> bool:
        """Add to one pane, or if it is cold to one of its segments, unless it has it already."""
        cold = self.newest_received - start >= panes.cold_after
        pane = PaneId(series.id, panes.resolution, start, segment_of(offset) if cold else 0)
        if self.ahead.includes(pane, offset):
            return False
        if cold:
            self.cold[pane] = self.cold.get(pane, 0) + counts
            self.outputs.panes.add(pane)
        else:
            panes.add(start, counts)
        return True

    def _take_back(self, series: Series, event: Event, occurred: float, minutes: bool, offset: int) -> bool:
        """Remember the answer as the one that stands in its interaction, and take back the one it replaces."""
        answer = Standing.of(event, series.scope.question, offset, occurred, minutes)
        self.standing.add(answer)
        before = self.standing.before(answer.interaction, offset)
        if before is None or not self.seen.is_known(before.offset, self.newest_received):
            return False
        self.outputs.replaced.append(replaced_by(event, before, self.number))
        return self._count(series, before.occurred, -UNITS[before.score], before.minutes, offset)

    def _observe(self, series: Series, event: Event, occurred: float, offset: int) -> bool:
        if offset < self.ahead.until and self.ahead.includes(series.id, offset):
            return False
        if not series.unsaved:
            series.unsaved = True
            self.unsaved.series.append(series)
        live = not event.imported
        if live:
            self.outputs.take_live(event, self.number, offset)
        u = level(event.metric, event.score)
        verdict = series.detector.observe(u, occurred, event.event_id, live, series.policy, series.group)
        if verdict:
            self.outputs.signals.append(drop_or_over(verdict, event))
        return True

    def _settle(self) -> None:
        """Bring the windows up to what has been counted."""
        for series in self.outputs.scores:
            self.outputs.panes.update(series.settle())

    def _refuse(self, why: Rejected, offset: int, value: bytes | None, logged_at: float) -> Outcome:
        self.outputs.dead_letters.append(dead_letter(why, self.number, offset, value, logged_at))
        return why.reason
