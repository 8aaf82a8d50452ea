"""What one flush writes to Kafka: the outputs that others read, and the state a worker restores itself from.

State records are small and separate: a flush costs what has changed, not what there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from xxhash import xxh3_64_intdigest

from schemas.customers import CustomerAnswer
from schemas.feedback import topic_key
from schemas.scoring import Metric
from schemas.signals import Signal
from schemas.topics import CUSTOMERS, PANES, REJECTED, REPLACED, SCORES, SIGNALS, STATE
from services.aggregator.baseline import Group
from services.aggregator.counts import pack, unpack
from services.aggregator.detector import DropDetector
from services.aggregator.groups import Name
from services.aggregator.panes import PaneId, SeriesId, row
from services.aggregator.partition import Partition
from services.aggregator.rules import Ruling
from services.aggregator.seen import Stretch
from services.aggregator.series import Series

URGENT_SERIES = 10
"""Bad contacts at more touchpoints of a partition at once are a backlog: their scores come with all others."""

SERIES_PREFIX, STRETCH_PREFIX, MARK_PREFIX = "series", "ids", "mark"
GROUPS_PREFIX, RULING_PREFIX = "groups", "rules"


class Record(NamedTuple):
    """One message to write; without a value it is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


class PaneState(Struct, array_like=True):
    """A pane in feedback.state: its counts as `counts.pack` has them."""

    version: int
    counts: bytes


class SeriesState(Struct, array_like=True):
    """A series' detector in feedback.state."""

    version: int
    detector: DropDetector


class Mark(Struct, array_like=True):
    """When the newest answer before an offset had arrived, in feedback.state."""

    version: int
    newest_received: float


class GroupsState(Struct, array_like=True):
    """What touchpoints have in common from an offset on, in feedback.state."""

    version: int
    groups: list[tuple[str, Metric, Group]]


class RulingState(Struct, array_like=True):
    """What rules count from an offset on, in feedback.state."""

    version: int
    ruling: Ruling


class Versioned(Struct, array_like=True):
    """What every state record begins with."""

    version: int


_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_pane_state = msgspec.msgpack.Decoder(PaneState)
_series_state = msgspec.msgpack.Decoder(SeriesState)
_stretch = msgspec.msgpack.Decoder(Stretch)
_groups = msgspec.msgpack.Decoder(GroupsState)
_ruling = msgspec.msgpack.Decoder(RulingState)
_mark = msgspec.msgpack.Decoder(Mark)
_versioned = msgspec.msgpack.Decoder(Versioned)


def outputs(partition: Partition, as_of: datetime) -> Iterator[Record]:
    """Signals, panes, scores, replaced answers and dead letters, each with the source's partition number; and the
    answers of named customers, all of a customer on one partition.

    Groups, too, though they are state: they have to be durable before the detectors that went by them.
    """
    told = partition.take_outputs()
    for offset in told.groups:
        groups = [(*name, group) for name, group in partition.groups.by_offset[offset].items()]
        packed = _pack(GroupsState(offset + 1, groups))
        yield Record(STATE.name, partition.number, _key(GROUPS_PREFIX, offset), packed)
    yield from signals(partition.number, told.signals)
    for answer in told.customers:
        yield of_customer(answer)
    for pane in told.panes:
        value = _json(row(pane, partition.counts(pane), partition.version(pane), partition.number))
        yield Record(PANES.name, partition.number, _pane_key(pane), value)
    for series in told.scores:
        yield score(partition, series, as_of)
    for replaced in told.replaced:
        key = topic_key(replaced.workspace, replaced.touchpoint)
        yield Record(REPLACED.name, partition.number, key, _json(replaced))
    for letter in told.dead_letters:
        key = f"{letter.src_topic}/{letter.src_partition}/{letter.src_offset}".encode()
        yield Record(REJECTED.name, partition.number, key, _json(letter))


def score(partition: Partition, series: Series, as_of: datetime) -> Record:
    """The scores of one series, which must be settled, as of now."""
    series.advance(int(as_of.timestamp()))
    update = series.rolling.update(series.id, as_of)
    return Record(SCORES.name, partition.number, "/".join(series.id).encode(), _json(update))


def noticed(partition: Partition, as_of: datetime) -> list[Record]:
    """What cannot wait: the signals there are, and the scores of where they come from, unless these are a backlog."""
    some = partition.take_signals()
    names = dict.fromkeys((one.workspace, one.touchpoint, one.metric) for one in some)
    series = [partition.settled(name) for name in names] if len(names) <= URGENT_SERIES else []
    return signals(partition.number, some) + [score(partition, one, as_of) for one in series]


def of_customer(answer: CustomerAnswer) -> Record:
    """The answer, where all of its customer's are."""
    key = f"{answer.workspace}/{answer.contact.customer_id}".encode()
    return Record(CUSTOMERS.name, xxh3_64_intdigest(key) % CUSTOMERS.partitions, key, _json(answer))


def signals(number: int, some: list[Signal]) -> list[Record]:
    """Signals, with their fold's partition number."""
    return [
        Record(SIGNALS.name, number, topic_key(one.workspace, one.touchpoint), _json(one)) for one in some
    ]


def ruled(number: int, offset: int, ruling: Ruling) -> Record:
    """That a partition goes by a ruling from an offset on."""
    return Record(STATE.name, number, _key(RULING_PREFIX, offset), _pack(RulingState(offset, ruling)))


def state(partition: Partition) -> Iterator[Record]:
    """The changed pieces of state, tombstones for the forgotten ones, and how far the partition has come."""

    def record(key: bytes, value: Any) -> Record:
        return Record(STATE.name, partition.number, key, None if value is None else _pack(value))

    unsaved = partition.take_unsaved()
    for gone in unsaved.forgotten_panes:
        yield record(_pane_key(gone), None)
    forgotten = {
        STRETCH_PREFIX: unsaved.forgotten_stretches,
        MARK_PREFIX: unsaved.forgotten_marks,
        GROUPS_PREFIX: unsaved.forgotten_groups,
        RULING_PREFIX: unsaved.forgotten_rulings,
    }
    for prefix, numbers in forgotten.items():
        for number in numbers:
            yield record(_key(prefix, number), None)
    for pane in unsaved.panes:
        yield record(_pane_key(pane), PaneState(partition.version(pane), pack(partition.counts(pane))))
    for series in unsaved.series:
        yield record(_series_key(series.id), SeriesState(partition.version(series.id), series.detector))
    for number in unsaved.stretches:
        standing = partition.standing.of_stretch(number)
        yield record(_key(STRETCH_PREFIX, number), partition.seen.pack(number, standing))
    if partition.next != partition.committed:
        yield record(_key(MARK_PREFIX, partition.next), Mark(partition.next, partition.newest_received))


def version_of(value: bytes) -> int:
    """The version of any state record: of two with the same key, the higher one is right."""
    return _versioned.decode(value).version


def restore(partition: Partition, records: Iterator[tuple[bytes, bytes]]) -> None:
    """Put the newest state records, key and value, back into an empty partition."""
    marks: dict[int, float] = {}
    groups: dict[int, dict[Name, Group]] = {}
    series: list[tuple[SeriesId, SeriesState]] = []
    for key, value in records:
        kind, *parts = key.decode().split("/")
        if kind == STRETCH_PREFIX:
            partition.restore_stretch(int(parts[0]), _stretch.decode(value))
        elif kind == MARK_PREFIX:
            marks[int(parts[0])] = _mark.decode(value).newest_received
        elif kind == SERIES_PREFIX:
            series.append((SeriesId(*parts), _series_state.decode(value)))  # type: ignore[arg-type]
        elif kind == GROUPS_PREFIX:
            kept = _groups.decode(value).groups
            groups[int(parts[0])] = {(workspace, metric): group for workspace, metric, group in kept}
        elif kind == RULING_PREFIX:
            partition.rulings.add(int(parts[0]), _ruling.decode(value).ruling)
        else:
            pane = _pane_state.decode(value)
            partition.restore_pane(_pane_of(kind, parts), pane.version, unpack(pane.counts))
    partition.turn(partition.committed)
    partition.restore_marks(marks)
    partition.restore_groups(groups)
    for series_id, state in series:
        partition.restore_series(series_id, state.version, state.detector)


def mark_for_rewrite(partition: Partition, key: bytes) -> None:
    """Have the next flush write this state record again."""
    kind, *parts = key.decode().split("/")
    if kind == STRETCH_PREFIX:
        partition.unsaved.stretches.add(int(parts[0]))
    elif kind == SERIES_PREFIX:
        partition.unsaved.series.append(partition.series[SeriesId(*parts)])  # type: ignore[arg-type]
    else:
        partition.unsaved.panes.add(_pane_of(kind, parts))


def _pane_key(pane: PaneId) -> bytes:
    return "/".join((pane.resolution, *pane.series, str(pane.start), str(pane.segment))).encode()


def _pane_of(resolution: str, parts: list[str]) -> PaneId:
    *series, start, segment = parts
    return PaneId(SeriesId(*series), resolution, int(start), int(segment))  # type: ignore[arg-type]


def _series_key(series_id: SeriesId) -> bytes:
    return "/".join((SERIES_PREFIX, *series_id)).encode()


def _key(prefix: str, number: int) -> bytes:
    return f"{prefix}/{number}".encode()
