"""Ingest's yardstick: a FastAPI route that sends its body to Kafka and awaits the acknowledgement, nothing more.

`python -m tests.bench.bare_ingest BOOTSTRAP PORT` serves until it is terminated.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response

from schemas.topics import EVENTS


def bare_app(bootstrap: str) -> FastAPI:
    """One route, one producer."""
    producers: list[AIOKafkaProducer] = []

    @asynccontextmanager
    async def connected(_: FastAPI) -> AsyncIterator[None]:
        producers.append(AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True))
        await producers[0].start()
        yield
        await producers[0].stop()

    app = FastAPI(lifespan=connected)

    @app.post("/v1/feedback")
    async def feedback(request: Request) -> Response:
        await producers[0].send_and_wait(EVENTS.name, await request.body(), b"default/bare")
        return Response(b'{"accepted":1}', status_code=202, media_type="application/json")

    return app


if __name__ == "__main__":
    config = uvicorn.Config(bare_app(sys.argv[1]), port=int(sys.argv[2]), log_level="error", access_log=False)
    uvicorn.Server(config).run()
