"""Serves the real ingest app on a free port with a publisher that only remembers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import uvicorn

from schemas.feedback import Event
from schemas.keys import Key, KeyRing, Scope, digest
from services.ingest.app import Clock, create_app
from services.ingest.publish import Publisher, PublishFailed
from services.ingest.settings import IngestSettings

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class MemoryPublisher:
    """Remembers what it was given, or fails with `trouble`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.trouble = ""
        self.bug: Exception | None = None

    async def publish(self, events: Sequence[Event]) -> None:
        if self.bug:
            raise self.bug
        if self.trouble:
            raise PublishFailed(self.trouble)
        self.events.extend(events)

    def not_ready(self) -> str:
        return self.trouble


def key(secret: str, scopes: list[Scope], workspace: str = "acme") -> Key:
    return Key(name=secret, sha256=digest(secret), workspace=workspace, scopes=scopes)


KEYS = [
    key("sk_writer", ["write"]),
    key("sk_importer", ["import"]),
    key("sk_both", ["write", "import"]),
    key("sk_reader", ["read"]),
    key("sk_other", ["write"], "other"),
]
RING = KeyRing({k.sha256: k for k in KEYS})


@asynccontextmanager
async def serving(
    publisher: Publisher, read_timeout: float = 15.0, clock: Clock = lambda: NOW
) -> AsyncIterator[str]:
    """The URL of a running app; its clock stands at NOW unless another is given."""
    settings = IngestSettings(read_timeout_seconds=read_timeout)
    app = create_app(settings, RING, publisher, clock, lambda n: bytes(range(n)))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(
        uvicorn.Config(app, http="httptools", lifespan="off", log_config=None, access_log=False)
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
