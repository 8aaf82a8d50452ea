"""Step 5 of the aggregator, pure: which table a message goes to. The message is the row; nothing is encoded again."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal, NamedTuple

from msgspec import Struct, field

from schemas.feedback import decode
from schemas.rejections import Rejected
from schemas.topics import ALERTS, EVENTS, PANES, REJECTED, REPLACED

Table = Literal["events", "panes_1m", "panes_1h", "alerts", "rejected"]
SOURCES = (EVENTS, PANES, REPLACED, ALERTS, REJECTED)
"""The topics that the sink copies."""


class Row(NamedTuple):
    """One row as JSON, and the message it came from."""

    table: Table
    json: bytes
    topic: str
    partition: int
    offset: int


def row_of(topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None) -> Row | None:
    """The row that a message is, or None for one that has none: a tombstone, or what the windows worker refuses."""
    if value is None:
        return None
    if topic == EVENTS.name:
        if isinstance(decode(value), Rejected):
            return None
        return Row("events", _with_source(value, partition, offset), topic, partition, offset)
    if topic == PANES.name:
        table: Table = "panes_1m" if (key or b"").startswith(b"1m/") else "panes_1h"
        return Row(table, value, topic, partition, offset)
    if topic == REPLACED.name:
        return Row("events", value, topic, partition, offset)
    if topic == ALERTS.name:
        return Row("alerts", _with_source(value, partition, offset), topic, partition, offset)
    return Row("rejected", value, topic, partition, offset)


def _with_source(value: bytes, partition: int, offset: int) -> bytes:
    """The JSON object with where it was read from as its last two fields."""
    return b'%b,"src_partition":%d,"src_offset":%d}' % (value.rstrip()[:-1], partition, offset)


class Batch(Struct):
    """Rows of one table, to be inserted together."""

    rows: list[Row] = field(default_factory=list)

    def body(self) -> bytes:
        """The rows as JSONEachRow."""
        return b"\n".join(row.json for row in self.rows)

    def token(self) -> str:
        """The insert's deduplication token: the same rows always have the same."""
        ranges: dict[tuple[str, int], list[int]] = {}
        for row in self.rows:
            span = ranges.setdefault((row.topic, row.partition), [row.offset, row.offset])
            span[1] = row.offset
        text = ",".join(f"{t}-{p}-{first}-{last}" for (t, p), (first, last) in sorted(ranges.items()))
        return sha256(text.encode()).hexdigest()

    def halves(self) -> tuple[Batch, Batch]:
        """The batch in two, to find the row that spoils it."""
        middle = len(self.rows) // 2
        return Batch(self.rows[:middle]), Batch(self.rows[middle:])
