"""The admin endpoints of a worker, on a thread of their own so that they answer while the worker is busy."""

from __future__ import annotations

import threading

import uvicorn
from starlette.applications import Starlette

from services.aggregator.exits import Exit, end_now
from services.operations.health import Check, health_routes
from services.operations.telemetry import Telemetry


def serve_admin(host: str, port: int, live: Check, ready: Check, telemetry: Telemetry) -> None:
    """Answer /livez, /readyz and /metrics until the process ends; a taken port ends it."""
    app = Starlette(routes=health_routes(live, ready, telemetry))
    server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="critical", access_log=False))

    def run() -> None:
        try:
            server.run()
        except SystemExit:
            end_now(
                Exit.MISCONFIGURED, f"port {port} on {host} is taken; choose another for the admin endpoints"
            )

    threading.Thread(target=run, daemon=True).start()
