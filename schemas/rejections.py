"""Why something is refused: one reason word for HTTP, logs, metric labels and dead letters."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Reason(StrEnum):
    """The reason words. `REASONS` says what each means."""

    JSON_INVALID = "json_invalid"
    NOT_AN_OBJECT = "not_an_object"
    FIELD_MISSING = "field_missing"
    FIELD_UNKNOWN = "field_unknown"
    FIELD_INVALID = "field_invalid"
    TOUCHPOINT_INVALID = "touchpoint_invalid"
    METRIC_UNKNOWN = "metric_unknown"
    SCORE_INVALID = "score_invalid"
    SCORE_OUT_OF_RANGE = "score_out_of_range"
    EVENT_ID_INVALID = "event_id_invalid"
    OCCURRED_AT_INVALID = "occurred_at_invalid"
    IN_THE_FUTURE = "in_the_future"
    TOO_LATE = "too_late"
    EVENT_TOO_LARGE = "event_too_large"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    ROW_REFUSED = "row_refused"
    NOTHING_ACCEPTED = "nothing_accepted"
    BODY_EMPTY = "body_empty"
    BODY_TOO_LARGE = "body_too_large"
    BATCH_TOO_LARGE = "batch_too_large"
    CONTENT_TYPE_UNSUPPORTED = "content_type_unsupported"
    KEY_MISSING = "key_missing"
    KEY_UNKNOWN = "key_unknown"
    KEY_FORBIDDEN = "key_forbidden"
    READ_TIMEOUT = "read_timeout"
    KAFKA_UNAVAILABLE = "kafka_unavailable"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    QUERY_INVALID = "query_invalid"
    INTERNAL_ERROR = "internal_error"


REASONS: dict[Reason, str] = {
    Reason.JSON_INVALID: "is not valid UTF-8 JSON",
    Reason.NOT_AN_OBJECT: "is JSON, but not an object",
    Reason.FIELD_MISSING: "lacks a required field",
    Reason.FIELD_UNKNOWN: "has a field that feedback does not have",
    Reason.FIELD_INVALID: "has a field of the wrong type or length",
    Reason.TOUCHPOINT_INVALID: "touchpoint must be a slug: a-z, 0-9, '.', '_', '-', at most 64 characters",
    Reason.METRIC_UNKNOWN: "metric must be csat, ces or nps",
    Reason.SCORE_INVALID: "score must be a whole number",
    Reason.SCORE_OUT_OF_RANGE: "score is outside the metric's scale: CSAT 1-5, CES 1-7, NPS 0-10",
    Reason.EVENT_ID_INVALID: "event_id must be 1 to 64 printable characters without spaces",
    Reason.OCCURRED_AT_INVALID: "occurred_at must be an RFC 3339 time with a zone",
    Reason.IN_THE_FUTURE: "occurred_at is more than 5 minutes in the future",
    Reason.TOO_LATE: "occurred_at is more than 7 days ago; send history with a key that may import",
    Reason.EVENT_TOO_LARGE: "is larger than 32 KiB",
    Reason.CONFLICTING_DUPLICATE: "another answer with this event_id and another body was counted before",
    Reason.ROW_REFUSED: "ClickHouse cannot read the message as a row",
    Reason.NOTHING_ACCEPTED: "nothing in the request could be accepted",
    Reason.BODY_EMPTY: "the request has no body",
    Reason.BODY_TOO_LARGE: "the request body is too large",
    Reason.BATCH_TOO_LARGE: "the request has too many events",
    Reason.CONTENT_TYPE_UNSUPPORTED: "send application/json or application/x-ndjson",
    Reason.KEY_MISSING: "send the key as 'Authorization: Bearer sk_...'",
    Reason.KEY_UNKNOWN: "the key is not known here",
    Reason.KEY_FORBIDDEN: "the key may not do this",
    Reason.READ_TIMEOUT: "the request body did not arrive in time",
    Reason.KAFKA_UNAVAILABLE: "the event log does not answer; nothing was lost, send it again",
    Reason.NOT_FOUND: "there is nothing at this path",
    Reason.METHOD_NOT_ALLOWED: "this path does not take this method",
    Reason.QUERY_INVALID: "the query string has an unknown or malformed parameter",
    Reason.INTERNAL_ERROR: "this is our fault and is in our log; send it again with the same event_id",
}
"""What each reason word means, in words that are safe to show: they never repeat input."""


class Rejected(Struct, frozen=True):
    """One thing refused, with the reason word and what exactly was wrong."""

    reason: Reason
    detail: str


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message refused on its way, on topic feedback.rejected and in table `rejected`.

    `src_topic`, `src_partition` and `src_offset` name the message; `payload` is its value as text.
    """

    workspace: str
    reason: Reason
    detail: str
    src_topic: str
    src_partition: int
    src_offset: int
    rejected_at: datetime
    payload: str


def refuse(reason: Reason, detail: str = "") -> Rejected:
    """A refusal that says, unless there is more to say, what its reason word means."""
    return Rejected(reason, detail or REASONS[reason])
