"""Turns the rows of a file into answers ready to be posted, and says of every other row why it is not."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from deploy.history.mapping import TAG, Mapping
from deploy.history.slugs import slugify
from deploy.history.table import Row
from deploy.history.times import NoZone, Reading, read_time
from deploy.up.failure import CANNOT_START, Failure
from schemas.feedback import Arrival, accept
from schemas.rejections import Reason, Rejected, refuse

SkipReason = Literal["no_rating", "same_id_same_answer", "same_id_other_answer"]
_FIELD_OF = {
    Reason.TOUCHPOINT_INVALID: "touchpoint",
    Reason.METRIC_UNKNOWN: "metric",
    Reason.SCORE_INVALID: "score",
    Reason.SCORE_OUT_OF_RANGE: "score",
    Reason.EVENT_ID_INVALID: "event_id",
    Reason.OCCURRED_AT_INVALID: "occurred_at",
    Reason.IN_THE_FUTURE: "occurred_at",
    Reason.TOO_LATE: "occurred_at",
}


class Ready(Struct, frozen=True):
    """An answer that can be posted: its time, where it came from, its id, and its JSON."""

    at: datetime
    line: int
    event_id: str
    body: bytes


class NotTaken(Struct, frozen=True):
    """A row, or an answer made of it, that was refused."""

    line: int
    column: str
    reason: str
    detail: str


class Prepared(Struct, frozen=True):
    """All rows of a file, sorted by what happens to them. `slugs` are touchpoints by the names in the file."""

    ready: list[Ready]
    refused: list[NotTaken]
    skipped: Counter[SkipReason]
    slugs: dict[str, str]


def prepare(rows: Iterable[Row], mapping: Mapping, how: Reading, now: datetime) -> Prepared:
    """Convert every row, in time order, each id once. Raises Failure when no time can be read at all."""
    converter = Converter(mapping, how, now)
    prepared = Prepared([], [], Counter(), converter.slugs)
    for row in rows:
        outcome = converter.convert(row)
        if isinstance(outcome, Ready):
            prepared.ready.append(outcome)
        elif isinstance(outcome, NotTaken):
            prepared.refused.append(outcome)
        else:
            prepared.skipped[outcome] += 1
    prepared.ready.sort(key=lambda ready: (ready.at, ready.line))
    _keep_first(prepared)
    return prepared


def _keep_first(prepared: Prepared) -> None:
    """Of several answers with one id only the first in time stays: what the server would count."""
    first: dict[str, bytes] = {}
    kept = []
    for ready in prepared.ready:
        body = first.setdefault(ready.event_id, ready.body)
        if body is ready.body:
            kept.append(ready)
        else:
            prepared.skipped["same_id_same_answer" if body == ready.body else "same_id_other_answer"] += 1
    prepared.ready[:] = kept


class Converter:
    """Converts rows one after the other; remembers slugs, and rows it has seen, to give them stable ids."""

    def __init__(self, mapping: Mapping, how: Reading, now: datetime) -> None:
        self.slugs: dict[str, str] = {}
        self._mapping = mapping
        self._how = how
        self._arrival = Arrival("import", now, True, "none")
        self._seen: Counter[bytes] = Counter()
        self._a_time_was_read = False

    def convert(self, row: Row) -> Ready | NotTaken | SkipReason:
        """One row. What it refuses is what the server would refuse, by the same rules."""
        if row.cells is None:
            return NotTaken(row.line, "", Reason.FIELD_INVALID, row.problem)
        fields = self._fields(row.cells)
        if not fields.get("score"):
            return "no_rating"
        try:
            at = self._time(fields.pop("occurred_at", ""), row.line)
        except (ValueError, OverflowError):
            return self._refused(row, refuse(Reason.OCCURRED_AT_INVALID, "the time cannot be read"))
        event_id = fields.setdefault("event_id", self._stable_id(row.cells))
        body = msgspec.json.encode(self._answer(fields) | {"occurred_at": at})
        judged = accept(body, self._arrival)
        return (
            self._refused(row, judged)
            if isinstance(judged, Rejected)
            else Ready(at, row.line, event_id, body)
        )

    def _fields(self, cells: dict[str, str]) -> dict[str, str]:
        """Cells by field: the mapped one, or else the constant, or else nothing."""
        fields = dict(self._mapping.constants)
        for field, column in self._mapping.columns.items():
            if value := cells.get(column, "").strip():
                fields[field] = value
        return fields

    def _time(self, text: str, line: int) -> datetime:
        column = self._mapping.column("occurred_at")
        try:
            at = read_time(text, self._how)
        except NoZone:
            raise Failure(
                f"The times in column '{column}' carry no zone (line {line}: '{text}'). Say in which zone they are, "
                "for example --zone Europe/Warsaw.",
                CANNOT_START,
            ) from None
        except ValueError:
            if self._a_time_was_read:
                raise
            form = f"as '{self._how.format}'" if self._how.format else "as ISO 8601"
            raise Failure(
                f"The time '{text}' in column '{column}' (line {line}) cannot be read {form}. Say how with "
                "--time-format, for example '%d/%m/%y' or '%Y-%m-%d %H:%M'.",
                CANNOT_START,
            ) from None
        self._a_time_was_read = True
        return at

    def _answer(self, fields: dict[str, str]) -> dict[str, object]:
        answer: dict[str, object] = {f: v for f, v in fields.items() if not f.startswith(TAG)}
        if tags := {field.removeprefix(TAG): v for field, v in fields.items() if field.startswith(TAG)}:
            answer["tags"] = tags
        answer["score"] = _whole(fields["score"])
        answer["metric"] = fields.get("metric", "").lower()
        name = fields.get("touchpoint", "")
        answer["touchpoint"] = self.slugs.setdefault(name, slugify(name)) if name else ""
        return answer

    def _stable_id(self, cells: dict[str, str]) -> str:
        """The same row of the same file always has the same id; a second identical row has another."""
        content = hashlib.sha256(msgspec.json.encode(sorted(cells.items()))).digest()
        self._seen[content] += 1
        return "h-" + hashlib.sha256(content + b"%d" % self._seen[content]).hexdigest()[:40]

    def _refused(self, row: Row, rejected: Rejected) -> NotTaken:
        column = self._mapping.column(_FIELD_OF.get(rejected.reason, ""))
        return NotTaken(row.line, column, rejected.reason, rejected.detail)


def _whole(text: str) -> int | str:
    """'4' and '4.0' are 4; anything else is left to be refused."""
    whole = text.removesuffix(".0")
    return int(whole) if whole.removeprefix("-").isdecimal() and len(whole) < 20 else text
