"""The three endpoints of every service, over real HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette

from schemas import metrics
from services.operations.health import Check, health_routes
from services.operations.telemetry import Telemetry

STOP_SECONDS = 10


def fine() -> str:
    return ""


@asynccontextmanager
async def serving(live: Check, ready: Check, telemetry: Telemetry) -> AsyncIterator[str]:
    """A service with these checks on a free port; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=health_routes(live, ready, telemetry))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    running = asyncio.ensure_future(server.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(running, STOP_SECONDS)
        listener.close()


async def get(url: str) -> tuple[int, str, str]:
    """Status, media type and text."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_a_service_that_is_fine_says_ok() -> None:
    async with serving(fine, fine, Telemetry("alerts")) as url:
        assert await get(f"{url}/livez") == (200, "text/plain; charset=utf-8", "ok")
        assert await get(f"{url}/readyz") == (200, "text/plain; charset=utf-8", "ok")


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_service_that_is_not_says_why(path: str) -> None:
    reasons = {"/livez": "the event loop has been silent for 20 s", "/readyz": "restoring"}
    async with serving(lambda: reasons["/livez"], lambda: reasons["/readyz"], Telemetry("alerts")) as url:
        status, _, text = await get(f"{url}{path}")

    assert (status, text) == (503, reasons[path])


async def test_checks_are_asked_each_time() -> None:
    answers = iter(["restoring", "", "ClickHouse does not take rows"])
    async with serving(fine, lambda: next(answers), Telemetry("alerts")) as url:
        statuses = [(await get(f"{url}/readyz"))[0] for _ in range(3)]

    assert statuses == [503, 200, 503]


async def test_metrics_are_shown_as_prometheus_reads_them() -> None:
    telemetry = Telemetry("alerts")
    async with serving(fine, fine, telemetry) as url:
        telemetry.count(metrics.ALERTS_DELIVERIES, "delivered", by=4)
        status, media, text = await get(f"{url}/metrics")

    assert (status, media.split(";")[0]) == (200, "text/plain")
    assert 'aftertouch_alerts_deliveries_total{outcome="delivered"} 4.0' in text
