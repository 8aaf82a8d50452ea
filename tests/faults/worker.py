"""One aggregator worker as a process of the test's own: no supervisor counts how often it dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import urllib3

from deploy.up.parts import PORT_OF
from tests.stack import ROOT, Stack, request, wait_for

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
SESSION_SECONDS = 6
"""How long Kafka keeps the partitions of a killed worker for it; the least that the settings allow."""


class Worker:
    """`kind` is windows, customers or sink; it runs while used as a context, and logs beside the stack's parts."""

    def __init__(
        self, stack: Stack, kind: str, env: Mapping[str, str] | None = None, number: int = 1
    ) -> None:
        self._command = [sys.executable, "-m", "deploy.up.leash", "services.aggregator", kind]
        self._log = stack.data / "logs" / f"{kind}-{number}.log"
        port = free_port()
        self._ready_url = f"http://127.0.0.1:{port}/readyz"
        self._env = {
            "KAFKA_BOOTSTRAP": stack.url("kafka"),
            "CLICKHOUSE_URL": stack.url("clickhouse").replace("//", "//default:@"),
            "AGGREGATOR_DATA_DIR": str(stack.data / "aggregator" / f"{kind}-{number}"),
            PORT_OF[kind].upper(): str(port),
            "AGGREGATOR_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
            **(env or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self) -> None:
        """Start it, without waiting for anything."""
        self._started = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=os.environ | self._env,
                stdin=subprocess.PIPE,  # its leash
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """Stop it as an operator would; gives its exit code."""
        return self._end(signal.SIGTERM)

    def end(self, killed: bool) -> int:
        """End it one way or the other; gives its exit code."""
        return self._end(signal.SIGKILL if killed else signal.SIGTERM)

    @property
    def ended(self) -> bool:
        """Whether it does not run."""
        return self._process is None or self._process.poll() is not None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def await_ready(self) -> float:
        """Wait until it has its partitions and works; gives the seconds since it was started."""
        wait_for(self.ready, READY_SECONDS, f"{self._log.stem} is ready")
        return time.monotonic() - self._started

    def ready(self) -> bool:
        """Whether it works; it must not have ended by itself."""
        assert not self.ended, f"{self._log.stem} ended by itself:\n{self._log.read_text()[-3000:]}"
        try:
            return request("GET", self._ready_url)[0] == 200
        except urllib3.exceptions.HTTPError:
            return False

    def reap(self) -> int:
        """Wait for the end of one that ends by itself; gives its exit code."""
        assert self._process is not None
        with self._process as process:
            return process.wait(STOP_SECONDS)

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self.reap()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if not self.ended:
            self.kill()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
