"""The process around the app: one directory, one socket, one uvicorn worker, a clean stop."""

import fcntl
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from deploy.embedded.clickhouse.users import Users

GRACE = 3  # seconds that running requests are given when the process is told to stop


class CannotStart(Exception):
    """One sentence for the person at the terminal."""


def claim(directory: Path) -> int:
    """Own the directory until this process ends, however it ends."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotStart(f"The data directory {directory} cannot be used: {error.strerror}.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CannotStart(
            f"Another process is using {directory}: stop it, or choose another --data."
        ) from None
    return lock


def listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        raise CannotStart(f"Port {port} on 127.0.0.1 cannot be used: {error}.") from None
    return listener


def serve(directory: Path, listener: socket.socket, users: Users) -> None:
    """Blocks until SIGTERM or SIGINT. The engine is imported here: no refusal above needs to wait for it."""
    from deploy.embedded.clickhouse.app import create_app
    from deploy.embedded.clickhouse.engine import Engine
    from deploy.embedded.clickhouse.errors import ClickHouseError
    from deploy.embedded.clickhouse.gateway import Gateway

    _when_told_to_stop(lambda: os._exit(0))  # nothing runs yet that could be lost
    try:
        engine = Engine(directory / "store")
    except ClickHouseError as error:
        raise CannotStart(f"The engine cannot open {directory}: {error.sentence}") from None
    config = uvicorn.Config(
        create_app(Gateway(engine, users)),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_keep_alive=60,
        timeout_graceful_shutdown=GRACE,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    _when_told_to_stop(
        stop
    )  # before uvicorn listens to signals, and after: it raises them again when it ends
    endpoint = directory / "endpoint"
    _announce(endpoint, listener)
    server.run(sockets=[listener])
    endpoint.unlink(missing_ok=True)


def _announce(endpoint: Path, listener: socket.socket) -> None:
    host, port = listener.getsockname()
    draft = endpoint.with_suffix(".new")
    draft.write_text(f"{host}:{port}\n")
    draft.replace(endpoint)


def _when_told_to_stop(act: Callable[[], None]) -> None:
    def told(number: int, frame: FrameType | None) -> None:
        act()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
