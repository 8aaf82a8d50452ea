"""Runs ingest: settings, keys and port are checked before anything is served; then uvicorn takes over."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from datetime import UTC, datetime

import structlog
import uvicorn
import uvloop
from pydantic import ValidationError

from schemas.keys import KeyRing, read_keys
from services.ingest.app import create_app
from services.ingest.publish import KafkaPublisher
from services.ingest.settings import IngestSettings
from services.operations.logs import configure_logs

GRACE_SECONDS = 2
"""How long requests in flight may take after SIGTERM; saying goodbye to Kafka takes up to a second more."""


class CannotStart(Exception):
    """One sentence that says what is wrong and what to do."""


def main() -> int:
    """Run until SIGTERM or SIGINT. Exit code 0, or 2 when it could not start."""
    try:
        settings = load_settings()
        keys = load_keys(settings)
        listener = listen(settings)
    except CannotStart as error:
        print(f"ingest cannot start: {error}", file=sys.stderr)
        return 2
    configure_logs("ingest", settings.log_level)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its retries are told in one line of ours
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: None)  # uvicorn raises the signal again when it has stopped
    uvloop.run(serve(settings, keys, listener))
    return 0


def load_settings() -> IngestSettings:
    """The settings, or CannotStart with the variable's name and what is wrong with it."""
    try:
        return IngestSettings()
    except ValidationError as error:
        wrong = [(str(e["loc"][-1]), e["msg"]) for e in error.errors()]
        names = {name: name if name.isupper() else f"INGEST_{name.upper()}" for name, _ in wrong}
        raise CannotStart("; ".join(f"{names[name]}: {message}" for name, message in wrong)) from error


def load_keys(settings: IngestSettings) -> KeyRing:
    """The keys that may post."""
    try:
        return read_keys(settings.keys_file.read_bytes())
    except OSError as error:
        why = f"{error.strerror}; set INGEST_KEYS_FILE to the file with the keys"
    except ValueError as error:
        why = f"{error}"
    raise CannotStart(f"INGEST_KEYS_FILE {settings.keys_file}: {why}")


def listen(settings: IngestSettings) -> socket.socket:
    """The listening socket, taken before anything else is started."""
    try:
        listener = socket.create_server((settings.host, settings.port), backlog=2048)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
        return listener
    except OSError as error:
        address = f"{settings.host}:{settings.port}"
        raise CannotStart(
            f"cannot listen on {address}: {error.strerror}; set INGEST_PORT to another"
        ) from error


async def serve(settings: IngestSettings, keys: KeyRing, listener: socket.socket) -> None:
    """Serve until told to stop; then finish what is in flight and say goodbye to Kafka."""
    log = structlog.get_logger()
    host, port = listener.getsockname()[:2]
    async with KafkaPublisher(settings.kafka_bootstrap, settings.publish_timeout_seconds) as publisher:
        app = create_app(settings, keys, publisher, lambda: datetime.now(UTC), os.urandom)
        config = uvicorn.Config(
            app,
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        log.info(
            "listening", url=f"http://{host}:{port}", kafka=settings.kafka_bootstrap, keys=len(keys.by_hash)
        )
        await uvicorn.Server(config).serve(sockets=[listener])
    log.info("stopped")


if __name__ == "__main__":
    sys.exit(main())
