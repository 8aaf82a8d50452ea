"""The HTTP door: POST /v1/feedback, health, and a problem document for everything that goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.keys import KeyRing
from schemas.metrics import INGEST_EVENTS, INGEST_SECONDS
from schemas.rejections import Reason, Rejected, refuse
from services.ingest.accept import Entropy, Judged, judge, receipt, verdict
from services.ingest.admit import Sender, admit
from services.ingest.body import media_of, read, split
from services.ingest.publish import Publisher, PublishFailed
from services.ingest.settings import IngestSettings
from services.operations.health import health_routes
from services.operations.problems import errors_route, problem
from services.operations.telemetry import Telemetry

Clock = Callable[[], datetime]

_log = structlog.get_logger()


def create_app(
    settings: IngestSettings, keys: KeyRing, publisher: Publisher, clock: Clock, entropy: Entropy
) -> FastAPI:
    """The whole HTTP surface of ingest; everything it depends on comes in here."""
    telemetry = Telemetry("ingest")
    door = Door(settings, publisher, telemetry, clock, entropy)

    async def feedback(request: Request) -> Response:
        started = asyncio.get_running_loop().time()
        sender = admit(request.headers.get("authorization", ""), request.query_params, keys)
        response = door.refused(sender) if isinstance(sender, Rejected) else await door.take(request, sender)
        seconds = asyncio.get_running_loop().time() - started
        telemetry.timed(INGEST_SECONDS, seconds, str(response.status_code))
        return response

    return FastAPI(
        routes=[
            Route("/v1/feedback", feedback, methods=["POST"]),
            errors_route,
            *health_routes(lambda: "", publisher.not_ready, telemetry),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _our_fault},
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )


class Door:
    """Takes one request through its steps, and counts what becomes of it."""

    def __init__(
        self,
        settings: IngestSettings,
        publisher: Publisher,
        telemetry: Telemetry,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._settings = settings
        self._publisher = publisher
        self._telemetry = telemetry
        self._clock = clock
        self._entropy = entropy

    async def take(self, request: Request, sender: Sender) -> Response:
        """headers -> body -> items -> events -> Kafka -> 202; each step may refuse."""
        media = media_of(request.headers)
        if isinstance(media, Rejected):
            return self.refused(media)
        limit, seconds = self._settings.body_limit_bytes, self._settings.read_timeout_seconds
        body = await read(request.receive, request.headers, limit, seconds)
        items = body if isinstance(body, Rejected) else split(body, media)
        if isinstance(items, Rejected):
            return self.refused(items)
        judged = judge(items, sender, self._clock(), self._entropy)
        alone = media == "json" and len(items) == 1
        return await self._publish(judged, verdict(judged, alone))

    async def _publish(self, judged: Judged, refusal: Rejected | None) -> Response:
        for item in judged.rejected:
            self._telemetry.count(INGEST_EVENTS, item.reason)
        if refusal is not None:
            items = {"rejected": judged.rejected} if refusal.reason is Reason.NOTHING_ACCEPTED else None
            return problem(refusal, items)
        try:
            await self._publisher.publish(judged.events)
        except PublishFailed:
            self._telemetry.count(INGEST_EVENTS, Reason.KAFKA_UNAVAILABLE, by=len(judged.events))
            return problem(refuse(Reason.KAFKA_UNAVAILABLE))
        self._telemetry.count(INGEST_EVENTS, "accepted", by=len(judged.events))
        return Response(receipt(judged), 202, media_type="application/json")

    def refused(self, rejected: Rejected) -> Response:
        """The answer to a request that was refused before its items were looked at."""
        self._telemetry.count(INGEST_EVENTS, rejected.reason)
        return problem(rejected)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reason = Reason.METHOD_NOT_ALLOWED if error.status_code == 405 else Reason.NOT_FOUND
    return problem(refuse(reason), headers=dict(error.headers or {}))


async def _our_fault(_: Request, error: Exception) -> Response:
    _log.error("a request failed", error=type(error).__name__)
    return problem(refuse(Reason.INTERNAL_ERROR))
