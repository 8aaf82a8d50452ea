"""How a refusal looks in HTTP: RFC 9457 problem details, by one table from reason to status."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from schemas.rejections import REASONS, Reason, Rejected

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
ERRORS_PATH = "/docs/errors"


def problem(
    rejected: Rejected, members: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer for a refusal, with `members` beside the standard ones. It never repeats input."""
    reason = rejected.reason
    body = {
        "type": f"{ERRORS_PATH}#{reason}",
        "title": reason.replace("_", " ").capitalize(),
        "status": STATUS[reason],
        "detail": rejected.detail,
        "reason": reason,
        **(members or {}),
    }
    return Response(
        msgspec.json.encode(body),
        STATUS[reason],
        HEADERS.get(reason, {}) | dict(headers or {}),
        media_type="application/problem+json",
    )


async def _errors(_: Request) -> Response:
    page = Template((files("services.operations") / "errors.html").read_text())
    reasons = "\n".join(
        f'<dt id="{reason}">{reason}</dt><dd>{escape(text)}</dd>' for reason, text in REASONS.items()
    )
    return HTMLResponse(page.substitute(reasons=reasons))


errors_route = Route(ERRORS_PATH, _errors)
"""The page that every problem's `type` points to."""
