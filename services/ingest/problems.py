"""How a refusal looks in HTTP: RFC 9457 problem details, by one table from reason to status."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from starlette.responses import Response

from schemas.rejections import Reason, Rejected
from services.ingest.accept import Refused

STATUS: dict[Reason, int] = {
    Reason.JSON_INVALID: 400,
    Reason.BODY_EMPTY: 400,
    Reason.QUERY_INVALID: 400,
    Reason.KEY_MISSING: 401,
    Reason.KEY_UNKNOWN: 401,
    Reason.KEY_FORBIDDEN: 403,
    Reason.NOT_FOUND: 404,
    Reason.METHOD_NOT_ALLOWED: 405,
    Reason.READ_TIMEOUT: 408,
    Reason.BODY_TOO_LARGE: 413,
    Reason.BATCH_TOO_LARGE: 413,
    Reason.CONTENT_TYPE_UNSUPPORTED: 415,
    Reason.NOTHING_ACCEPTED: 422,
    Reason.INTERNAL_ERROR: 500,
    Reason.KAFKA_UNAVAILABLE: 503,
}
"""The reasons a whole request can be refused for; single items are refused inside a 202 or a 422."""

HEADERS: dict[Reason, dict[str, str]] = {
    Reason.KEY_MISSING: {"www-authenticate": 'Bearer realm="aftertouch"'},
    Reason.KEY_UNKNOWN: {"www-authenticate": 'Bearer realm="aftertouch", error="invalid_token"'},
    Reason.READ_TIMEOUT: {"connection": "close"},
    Reason.KAFKA_UNAVAILABLE: {"retry-after": "2"},
}


class Problem(Struct, frozen=True, omit_defaults=True):
    """The body of an error; `rejected` only where items were judged."""

    type: str
    title: str
    status: int
    detail: str
    reason: Reason
    rejected: Sequence[Refused] | None = None


def problem(
    rejected: Rejected, items: Sequence[Refused] | None = None, headers: dict[str, str] | None = None
) -> Response:
    """The answer for a refusal. It is made of our words only and never repeats input."""
    reason = rejected.reason
    title = reason.replace("_", " ").capitalize()
    body = Problem(f"/docs/errors#{reason}", title, STATUS[reason], rejected.detail, reason, items)
    return Response(
        msgspec.json.encode(body),
        STATUS[reason],
        HEADERS.get(reason, {}) | (headers or {}),
        media_type="application/problem+json",
    )
