"""Step 5 of the aggregator, pure: which table a message goes to. The message is the row; nothing is encoded again."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Literal

from msgspec import Struct, field

from schemas.feedback import decode
from schemas.rejections import Rejected
from schemas.topics import ALERTS, EVENTS, PANES, REJECTED, REPLACED

Table = Literal["events", "panes_1m", "panes_1h", "alerts", "rejected"]
SOURCES = (EVENTS, PANES, REPLACED, ALERTS, REJECTED)
"""The topics that the sink copies."""
ROWS_AT_A_TIME = 1000


class Row(Struct, frozen=True, gc=False):
    """One row as JSON, and the message it came from. Up to 100,000 wait at a time: the collector passes them over."""

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

    def size(self) -> int:
        """Bytes of the whole body."""
        return sum(len(row.json) for row in self.rows) + len(self.rows)

    def body(self) -> Iterator[bytes]:
        """The rows as JSONEachRow, some at a time: as a whole they would lie in memory twice."""
        for start in range(0, len(self.rows), ROWS_AT_A_TIME):
            some = [row.json for row in self.rows[start : start + ROWS_AT_A_TIME]]
            yield b"\n".join([*some, b""])

    def token(self) -> str:
        """The insert's deduplication token: the same rows always have the same."""
        first: dict[tuple[str, int], int] = {}
        last: dict[tuple[str, int], int] = {}
        for row in self.rows:
            source = (row.topic, row.partition)
            first.setdefault(source, row.offset)
            last[source] = row.offset
        text = ",".join(f"{t}-{p}-{at}-{last[t, p]}" for (t, p), at in sorted(first.items()))
        return sha256(text.encode()).hexdigest()

    def halves(self) -> tuple[Batch, Batch]:
        """The batch in two, to find the row that spoils it."""
        middle = len(self.rows) // 2
        return Batch(self.rows[:middle]), Batch(self.rows[middle:])
