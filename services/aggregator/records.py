"""What one flush writes to Kafka: the outputs that others read, and the state a worker restores itself from.

State records are small and separate: a flush costs what has changed, not what there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec import Struct

from schemas.feedback import topic_key
from schemas.signals import Signal
from schemas.topics import PANES, REJECTED, REPLACED, SCORES, SIGNALS, STATE
from services.aggregator.detector import BaselineDrop
from services.aggregator.panes import PaneId, PaneState, SeriesId, row
from services.aggregator.partition import Partition
from services.aggregator.seen import Stretch
from services.aggregator.series import Changes

SERIES_PREFIX, STRETCH_PREFIX, MARK_PREFIX = "series", "ids", "mark"


class Record(NamedTuple):
    """One message to write; without a value it is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


class SeriesState(Struct):
    """A series' detector in feedback.state."""

    version: int
    detector: BaselineDrop


class Mark(Struct):
    """When the newest answer before an offset had arrived, in feedback.state."""

    version: int
    newest_received: float


class Versioned(Struct):
    """What every state record begins with."""

    version: int


_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_pane_state = msgspec.msgpack.Decoder(PaneState)
_series_state = msgspec.msgpack.Decoder(SeriesState)
_stretch = msgspec.msgpack.Decoder(Stretch)
_mark = msgspec.msgpack.Decoder(Mark)
_versioned = msgspec.msgpack.Decoder(Versioned)


def outputs(partition: Partition, changes: Changes, as_of: datetime) -> list[Record]:
    """Signals, panes, scores, replaced answers and dead letters, each with the source's partition number."""
    records = signals(partition, changes.signals)
    for pane in changes.panes:
        value = _json(row(pane.id, pane.state, partition.number))
        records.append(Record(PANES.name, partition.number, _pane_key(pane.id), value))
    for series_id in changes.scores:
        series = partition.series[series_id]
        series.rolling.advance(series.panes, int(as_of.timestamp()))
        update = series.rolling.update(series_id, as_of)
        records.append(Record(SCORES.name, partition.number, "/".join(series_id).encode(), _json(update)))
    for replaced in changes.replaced:
        key = topic_key(replaced.workspace, replaced.touchpoint)
        records.append(Record(REPLACED.name, partition.number, key, _json(replaced)))
    for letter in changes.dead_letters:
        key = f"{letter.src_topic}/{letter.src_partition}/{letter.src_offset}".encode()
        records.append(Record(REJECTED.name, partition.number, key, _json(letter)))
    return records


def signals(partition: Partition, noticed: list[Signal]) -> list[Record]:
    """Signals, with the source's partition number."""
    return [
        Record(SIGNALS.name, partition.number, topic_key(one.workspace, one.touchpoint), _json(one))
        for one in noticed
    ]


def state(partition: Partition, changes: Changes) -> list[Record]:
    """The changed pieces of state, and tombstones for the forgotten ones."""

    def record(key: bytes, value: bytes | None) -> Record:
        return Record(STATE.name, partition.number, key, value)

    records = [record(_pane_key(pane), None) for pane in changes.forgotten_panes]
    records += [record(_key(STRETCH_PREFIX, stretch), None) for stretch in changes.forgotten_stretches]
    records += [record(_key(MARK_PREFIX, mark), None) for mark in changes.forgotten_marks]
    records += [record(_pane_key(pane.id), _pack(pane.state)) for pane in changes.panes]
    for series_id in changes.series:
        series = partition.series[series_id]
        packed = _pack(SeriesState(series.version, series.detector))
        records.append(record(_series_key(series_id), packed))
    for stretch in changes.stretches:
        records.append(
            record(
                _key(STRETCH_PREFIX, stretch),
                _pack(partition.seen.pack(stretch, partition.standing.of_stretch(stretch))),
            )
        )
    if records:
        mark = Mark(partition.next, partition.newest_received)
        records.append(record(_key(MARK_PREFIX, partition.next), _pack(mark)))
    return records


def version_of(value: bytes) -> int:
    """The version of any state record: of two with the same key, the higher one is right."""
    return _versioned.decode(value).version


def restore(partition: Partition, records: Iterator[tuple[bytes, bytes]]) -> None:
    """Put the newest state records, key and value, back into an empty partition."""
    marks: dict[int, float] = {}
    for key, value in records:
        kind, *parts = key.decode().split("/")
        if kind == STRETCH_PREFIX:
            partition.restore_stretch(int(parts[0]), _stretch.decode(value))
        elif kind == MARK_PREFIX:
            marks[int(parts[0])] = _mark.decode(value).newest_received
        elif kind == SERIES_PREFIX:
            kept = _series_state.decode(value)
            partition.restore_series(SeriesId(*parts), kept.version, kept.detector)  # type: ignore[arg-type]
        else:
            partition.restore_pane(_pane_of(kind, parts), _pane_state.decode(value))
    partition.restore_marks(marks)


def mark_for_rewrite(partition: Partition, key: bytes) -> None:
    """Have the next flush write this state record again."""
    kind, *parts = key.decode().split("/")
    if kind == STRETCH_PREFIX:
        partition.changes.stretches.add(int(parts[0]))
    elif kind == SERIES_PREFIX:
        partition.changes.series.add(SeriesId(*parts))  # type: ignore[arg-type]
    else:
        partition.change(partition.pane(_pane_of(kind, parts)))


def _pane_key(pane: PaneId) -> bytes:
    return "/".join((pane.resolution, *pane.series, str(pane.start), str(pane.segment))).encode()


def _pane_of(resolution: str, parts: list[str]) -> PaneId:
    *series, start, segment = parts
    return PaneId(SeriesId(*series), resolution, int(start), int(segment))  # type: ignore[arg-type]


def _series_key(series_id: SeriesId) -> bytes:
    return "/".join((SERIES_PREFIX, *series_id)).encode()


def _key(prefix: str, number: int) -> bytes:
    return f"{prefix}/{number}".encode()
