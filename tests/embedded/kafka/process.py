"""The embedded broker as its own process: started, asked to stop, killed, started again on the same address."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DEADLINE_SECONDS = 20.0


def until(condition: Callable[[], bool], within: float = DEADLINE_SECONDS) -> None:
    """Polls a condition, and fails when it has not come true in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.01)


def launch(data: Path, port: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "deploy.embedded.kafka", "--data", str(data), "--port", port, *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


class BrokerProcess:
    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self._options = options
        self._port = "0"
        self.start()

    def start(self) -> None:
        (self.data / "endpoint").unlink(missing_ok=True)
        self.process = launch(self.data, self._port, *self._options)
        until(lambda: (self.data / "endpoint").exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.complaint()
        self.endpoint = (self.data / "endpoint").read_text().strip()
        self._port = self.endpoint.rpartition(":")[2]

    def kill(self) -> None:
        self.process.kill()
        self.complaint()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.complaint()
        return self.process.returncode

    def complaint(self) -> str:
        """What the process wrote to stderr until its end."""
        return self.process.communicate(timeout=DEADLINE_SECONDS)[1]

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        elif self.process.stderr and not self.process.stderr.closed:
            self.process.stderr.close()
