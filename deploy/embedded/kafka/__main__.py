"""Starts the embedded broker: python -m deploy.embedded.kafka --data DIR --port N.

The address it listens on is written to DIR/endpoint. SIGTERM and SIGINT stop it; exit code 2 means that it could
not start, 1 that its disk failed under it (start it again: it continues from what is on disk).
"""

import argparse
import asyncio
import fcntl
import logging
import os
import signal
import socket
import sqlite3
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import NoReturn, TextIO

from deploy.embedded.kafka.broker import Broker
from deploy.embedded.kafka.coordinator import Coordinator
from deploy.embedded.kafka.maintenance import maintain
from deploy.embedded.kafka.server import Server
from deploy.embedded.kafka.store import StorageFailure, Store
from deploy.embedded.kafka.topics import Topics

HOST = "127.0.0.1"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="deploy.embedded.kafka", description="Kafka's protocol on one disk."
    )
    parser.add_argument("--data", type=Path, required=True, help="directory for the log; made if absent")
    parser.add_argument("--port", type=int, default=9092, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--fsync", choices=("always", "interval"), default="always")
    parser.add_argument("--maintenance-seconds", type=float, default=60, help="between two rounds")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="embedded kafka: %(message)s")
    try:
        with _lock(asked.data), _listening(asked.port) as listening:
            failure = asyncio.run(_run(asked, listening))
    except (sqlite3.Error, StorageFailure) as error:
        _refuse(f"{asked.data} holds no usable log: {error}")
    if failure:
        print(f"embedded kafka: stopped, a commit to disk failed: {failure}; start it again", file=sys.stderr)
    return 1 if failure else 0


def _refuse(reason: str) -> NoReturn:
    print(f"embedded kafka: cannot start: {reason}", file=sys.stderr)
    raise SystemExit(2)


def _lock(data: Path) -> TextIO:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
        lock = (data / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _refuse(f"another broker uses {data}; stop it or choose another --data")
    except OSError as error:
        _refuse(f"{data} cannot hold the data: {error.strerror}")
    return lock


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        _refuse(f"{HOST}:{port}: {error.strerror}; choose another --port")


async def _run(asked: argparse.Namespace, listening: socket.socket) -> str:
    """Serves until a signal; gives the reason if it was the disk instead."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    failures: list[str] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)

    def fail(reason: str) -> None:
        failures.append(reason)
        over.set()

    store = Store(asked.data / "log.sqlite", asked.fsync, fail)
    broker = await _loaded(store, listening.getsockname()[1])
    server = Server(broker)
    await server.listen(listening)
    _write_endpoint(asked.data / "endpoint", broker)
    chores = [
        _every(0.1, lambda: broker.groups.sweep(broker.now())),
        _every(asked.maintenance_seconds, lambda: maintain(broker)),
    ]
    running = [asyncio.create_task(chore) for chore in chores]
    await over.wait()
    for task in running:
        task.cancel()
    await server.close()
    await store.close()
    return "".join(failures)


async def _loaded(store: Store, port: int) -> Broker:
    await store.submit(("INSERT OR IGNORE INTO meta VALUES ('cluster_id', ?)", (uuid.uuid4().hex,)))
    meta = dict(store.rows("SELECT name, value FROM meta"))
    now, producer_ids = asyncio.get_running_loop().time, count(int(meta.get("next_producer_id", "1")))
    topics, groups, cluster_id = Topics(store), Coordinator(store, now()), meta["cluster_id"]
    return Broker(HOST, port, cluster_id, store, topics, groups, producer_ids, now, _now_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _write_endpoint(path: Path, broker: Broker) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.write_text(f"{broker.host}:{broker.port}\n")
    os.replace(unfinished, path)


async def _every(seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await chore()


if __name__ == "__main__":
    sys.exit(main())
