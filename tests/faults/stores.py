"""A Kafka or ClickHouse of the test's own, which can be killed and stay away as long as the test wants."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tests.faults.worker import free_port
from tests.stack import ApacheKafka, Stack


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
        self.port = free_port()
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
