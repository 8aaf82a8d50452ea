"""The three endpoints every service answers: /livez, /readyz and /metrics, on its own or an admin port."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.operations.telemetry import Telemetry

Check = Callable[[], str]
"""Says why not; an empty string means yes."""


def health_routes(live: Check, ready: Check, telemetry: Telemetry) -> list[Route]:
    """Routes whose answers are 200 'ok', or 503 with the reason in words."""

    def answer(reason: str) -> Response:
        return PlainTextResponse(reason or "ok", status_code=503 if reason else 200)

    async def livez(_: Request) -> Response:
        return answer(live())

    async def readyz(_: Request) -> Response:
        return answer(ready())

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(telemetry.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
