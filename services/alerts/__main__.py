"""Runs the alerts service: settings, wiring, and how it starts and ends."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import structlog
import uvicorn
import uvloop
from pydantic import ValidationError
from pydantic_settings import SettingsError

from schemas.keys import KeyRing, read_keys
from schemas.topics import SIGNALS
from services.alerts.access import by_key
from services.alerts.app import create_app
from services.alerts.book import AlertBook
from services.alerts.clients import Clients, KafkaUnavailable, connect
from services.alerts.journal import KafkaJournal
from services.alerts.loop import SignalLoop
from services.alerts.notify.queue import Chance, Deliveries, Limits, Line
from services.alerts.notify.receivers import Receivers
from services.alerts.notify.webhook import Webhook
from services.alerts.settings import AlertsSettings, explain, signing_key
from services.alerts.store import AlertStore
from services.operations.health import health_routes
from services.operations.logs import configure_logs
from services.operations.telemetry import Telemetry

log = structlog.get_logger()

STOP_SECONDS = 3.0
"""How long clients may take to say goodbye before the process leaves without it."""


class CannotStart(Exception):
    """One sentence that says what is wrong and what to do."""


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class Service:
    """One run of the service, from the first connection to the last."""

    def __init__(self, settings: AlertsSettings, keys: KeyRing) -> None:
        self._settings = settings
        self._telemetry, self._store = Telemetry("alerts"), AlertStore()
        self._unready, self._dead = "starting", ""
        health = health_routes(lambda: self._dead, lambda: self._dead or self._unready, self._telemetry)
        self.app = create_app(self._store, by_key(keys), health)

    async def run(self) -> None:
        """Work until cancelled. Raises KafkaUnavailable, or whatever made going on impossible."""
        try:
            async with AsyncExitStack() as stack:
                self._unready = "waiting for Kafka"
                clients = await connect(self._settings.kafka_bootstrap, stack)
                session = await stack.enter_async_context(
                    aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
                )
                await self._work(clients, session)
        finally:
            self._dead = "stopped"

    async def _work(self, clients: Clients, session: aiohttp.ClientSession) -> None:
        receivers = Receivers(self._settings.webhook_url, self._settings.team_webhooks)
        book = AlertBook(self._store, KafkaJournal(clients.reader, clients.producer), receivers, now)
        deliveries = self._deliveries(receivers, book, session)
        loop = SignalLoop(clients.signals, book, self._store, deliveries, self._telemetry, now)
        self._unready = "reading feedback.alerts"
        await loop.restore()
        clients.signals.subscribe([SIGNALS.name])
        self._unready = ""
        log.info("ready", alerts_open=self._store.open_count)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(loop.run())
            tasks.create_task(deliveries.run())

    def _deliveries(
        self, receivers: Receivers, book: AlertBook, session: aiohttp.ClientSession
    ) -> Deliveries:
        secret = self._settings.webhook_secret.get_secret_value()
        webhook = Webhook(session, signing_key(secret) if secret else b"", now)
        chance = Chance(now, asyncio.sleep, random.random)
        lines = {url: Line(url, webhook.post, book, self._telemetry, chance) for url in receivers.addresses()}
        return Deliveries(receivers, lines, book, Limits())


async def serve(service: Service, listener: socket.socket) -> int:
    """Answer HTTP and work until a signal comes or the work fails; the exit code of the process."""
    config = uvicorn.Config(
        service.app,
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises the signal again when it has stopped
    work = asyncio.create_task(service.run())
    work.add_done_callback(lambda _: setattr(server, "should_exit", True))
    await server.serve(sockets=[listener])
    if work.done():
        return report(work.exception())
    work.cancel()
    await asyncio.wait([work], timeout=STOP_SECONDS)
    log.info("stopped" if work.done() else "stopped; Kafka was not told in time")
    return 0


def report(error: BaseException | None) -> int:
    """Say in one line why the work has ended by itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, KafkaUnavailable):
        log.critical("giving up", error=str(error))
    else:
        log.critical("stopped by an unexpected error; start again", error=repr(error), exc_info=error)
    return 1


def load_settings() -> AlertsSettings:
    """What the environment says, or CannotStart."""
    try:
        return AlertsSettings()
    except (ValidationError, SettingsError) as error:
        raise CannotStart(explain(error)) from error


def load_keys(path: Path) -> KeyRing:
    """The keys that may read alerts, or CannotStart."""
    try:
        return read_keys(path.read_bytes())
    except OSError as error:
        why = f"{error.strerror}; set ALERTS_KEYS_FILE to the file with the keys"
    except ValueError as error:
        why = f"{error}"
    raise CannotStart(f"ALERTS_KEYS_FILE {path}: {why}")


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, taken before anything else is started, or CannotStart."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise CannotStart(f"cannot listen on {host}:{port}: {why}; set ALERTS_PORT to another") from error


def main() -> int:
    """Run until SIGTERM or SIGINT. Exit code 0; 1 when going on was impossible; 2 when it could not start."""
    try:
        settings = load_settings()
        keys = load_keys(settings.keys_file)
        listener = listen(settings.host, settings.port)
    except CannotStart as error:
        print(f"alerts cannot start: {error}", file=sys.stderr)
        return 2
    configure_logs("alerts", settings.log_level)
    host, port = listener.getsockname()[:2]
    log.info("listening", url=f"http://{host}:{port}", kafka=settings.kafka_bootstrap)
    return uvloop.run(serve(Service(settings, keys), listener))


if __name__ == "__main__":
    sys.exit(main())
