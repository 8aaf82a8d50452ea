"""A Kafka or ClickHouse of the test's own, which can be killed and stay away as long as the test wants."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from random import choice
from types import TracebackType
from typing import Protocol, Self

from tests.stack import ApacheKafka, Stack

STEADY_PORTS = range(20_000, 32_000)
"""Linux gives none of these to those who take any port: a store finds its port free when it comes back."""


class Kafka(Protocol):
    """A broker that a test may stop and kill; it runs while used as a context, and comes back where it was."""

    @property
    def env(self) -> dict[str, str]:
        """What a stack needs to use it."""

    @property
    def broker(self) -> int:
        """The process id of the broker itself."""

    def start(self) -> object:
        """Start it again after it has vanished; returns when it is ready."""

    def vanish(self) -> None:
        """kill -9, and nobody starts it again until `start`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


class Store(Stack):
    """The embedded `part` alone, under a supervisor of its own, always on the same port."""

    def __init__(self, part: str, data: Path) -> None:
        self._part = part
        self.port = steady_port()
        super().__init__(data, {f"{part.upper()}_PORT": str(self.port)}, only=part)

    @property
    def env(self) -> dict[str, str]:
        """What another stack needs to use it."""
        if self._part == "kafka":
            return {"KAFKA_BOOTSTRAP": f"127.0.0.1:{self.port}"}
        return {"CLICKHOUSE_URL": f"http://default:@127.0.0.1:{self.port}"}

    @property
    def broker(self) -> int:
        """The process id of the part itself."""
        return self.pid(self._part)

    def vanish(self) -> None:
        """kill -9, and nobody starts it again until `start`."""
        pid = self.broker
        self.send(signal.SIGSTOP)  # the supervisor, so that it does not start another
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.kill()


class ApacheStore(ApacheKafka):
    """Apache Kafka as such a broker."""

    def __init__(self, data: Path) -> None:
        super().__init__(data, steady_port())

    @property
    def env(self) -> dict[str, str]:
        """What a stack needs to use it."""
        return {"KAFKA_BOOTSTRAP": self.address}

    def vanish(self) -> None:
        """kill -9, and nobody starts it again until `start`."""
        os.kill(self.broker, signal.SIGKILL)
        self.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()


def kafka_store(kind: str, data: Path) -> Kafka:
    """The broker of this kind, "embedded" or "apache"."""
    return ApacheStore(data) if kind == "apache" else Store("kafka", data)


def steady_port() -> int:
    """A free port of those that nobody else gets by chance."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", choice(STEADY_PORTS)))
            return int(probe.getsockname()[1])
