"""A Kafka or ClickHouse of the test's own, which can be killed and stay away as long as the test wants."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.faults.worker import free_port
from tests.stack import Stack


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

    def vanish(self) -> None:
        """kill -9, and nobody starts it again until `start`."""
        pid = self.pid(self._part)
        self.send(signal.SIGSTOP)  # the supervisor, so that it does not start another
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.kill()
