"""A webhook receiver on loopback that answers as it is told and remembers what it got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from msgspec import Struct, json


class Got(Struct, frozen=True):
    """One request."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.decode(self.raw)


class Receiver:
    """Answers 200, unless `answers` says otherwise, in order; 0 is no answer at all."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[Got] = []
        self.answers: list[tuple[int, Mapping[str, str]]] = []
        self.always: int = 200
        self._closing = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Got(request.path, headers, await request.read()))
        status, extra = self.answers.pop(0) if self.answers else (self.always, {})
        if status == 0:
            await self._closing.wait()
            status = 503
        return web.Response(status=status, headers=extra)

    def close(self) -> None:
        self._closing.set()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A running receiver."""
    told = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", told.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    told.url = f"http://{host}:{port}"
    try:
        yield told
    finally:
        told.close()
        await runner.cleanup()
