"""Beside the path: every refusal of the HTTP API as RFC 9457 problem details with one reason word."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from schemas.rejections import Reason, Rejected

STATUS: dict[Reason, int] = {
    Reason.QUERY_INVALID: 400,
    Reason.KEY_MISSING: 401,
    Reason.KEY_UNKNOWN: 401,
    Reason.KEY_FORBIDDEN: 403,
    Reason.NOT_FOUND: 404,
    Reason.METHOD_NOT_ALLOWED: 405,
    Reason.INTERNAL_ERROR: 500,
}


class Refusal(Exception):
    """Ends a request with a problem response."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.reason)
        self.rejected = rejected


def problem(rejected: Rejected, allow: str = "") -> Response:
    """The response; `allow` names the methods a path does take."""
    status = STATUS[rejected.reason]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Allow": allow} if allow else None
    body = {
        "type": "about:blank",
        "title": rejected.reason.replace("_", " ").capitalize(),
        "status": status,
        "detail": rejected.detail,
        "reason": rejected.reason,
    }
    return Response(msgspec.json.encode(body), status, headers, media_type="application/problem+json")
