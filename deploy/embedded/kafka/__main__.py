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
import sys
import time
import uuid
from itertools import count
from pathlib import Path
from typing import TextIO

from deploy.embedded.kafka.broker import Broker
from deploy.embedded.kafka.coordinator import Coordinator
from deploy.embedded.kafka.server import Server
from deploy.embedded.kafka.store import Fsync, Store
from deploy.embedded.kafka.topics import Topics

HOST = "127.0.0.1"
_SWEEP_SECONDS = 0.1


class CannotStart(Exception):
    """One sentence for the operator."""


class Life:
    """Ends once: because somebody asked (exit code 0) or because the disk failed (1)."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.exit_code = 0

    def stop(self) -> None:
        self.over.set()

    def fail(self, reason: str) -> None:
        _tell(
            f"stopped because a commit to disk failed ({reason}); free space or mend the disk, then start again"
        )
        self.exit_code = 1
        self.over.set()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="deploy.embedded.kafka", description="Kafka protocol on one local disk."
    )
    parser.add_argument("--data", type=Path, required=True, help="directory for the log; made if absent")
    parser.add_argument("--port", type=int, default=9092, help="0 takes a free port (default: %(default)s)")
    parser.add_argument("--fsync", choices=("always", "interval"), default="always")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="embedded kafka: %(message)s")
    try:
        with _lock(arguments.data):
            return asyncio.run(_run(arguments.data, arguments.port, arguments.fsync))
    except CannotStart as reason:
        _tell(str(reason))
        return 2


def _tell(sentence: str) -> None:
    print(f"embedded kafka: {sentence}", file=sys.stderr, flush=True)


def _lock(data: Path) -> TextIO:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
        lock = (data / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(
            f"{data} is in use by another broker; stop that one or choose another --data"
        ) from None
    except OSError as error:
        raise CannotStart(f"cannot use {data} for data: {error.strerror}") from None
    return lock


async def _run(data: Path, port: int, fsync: Fsync) -> int:
    life, loop, server = Life(), asyncio.get_running_loop(), Server()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, life.stop)
    try:
        bound = await server.listen(HOST, port)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {HOST}:{port}: {error.strerror}; choose another --port"
        ) from None
    store = Store(data / "log.sqlite", fsync, life.fail)
    broker = await _loaded(store, bound, loop.time())
    server.serve(broker)
    _write_endpoint(data / "endpoint", bound)
    chores = [asyncio.create_task(_sweep(broker))]
    await life.over.wait()
    for chore in chores:
        chore.cancel()
    broker.stop()
    await server.close()
    await store.close()
    return life.exit_code


async def _loaded(store: Store, port: int, now: float) -> Broker:
    meta = dict(store.rows("SELECT name, value FROM meta"))
    if "cluster_id" not in meta:
        meta["cluster_id"] = uuid.uuid4().hex
        await store.submit(("INSERT INTO meta (name, value) VALUES ('cluster_id', ?)", (meta["cluster_id"],)))
    return Broker(
        HOST,
        port,
        meta["cluster_id"],
        store,
        Topics(store),
        Coordinator(store, now),
        count(int(meta.get("next_producer_id", "1"))),
        lambda: time.time_ns() // 1_000_000,
    )


def _write_endpoint(path: Path, port: int) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.write_text(f"{HOST}:{port}\n")
    os.replace(unfinished, path)


async def _sweep(broker: Broker) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        broker.groups.sweep(broker.now())


if __name__ == "__main__":
    sys.exit(main())
