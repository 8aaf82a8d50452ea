"""Starts the real thing for tests: `aftertouch up` on free ports and a data directory of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import urllib3

from deploy.up.endpoints import Endpoints, read_endpoints
from deploy.up.parts import NAMES, PORT_OF

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 90.0
STOP_SECONDS = 20.0
LOG_TAIL = 3000

Found = TypeVar("Found")


def wait_for(condition: Callable[[], Found], deadline: float, what: str) -> Found:
    """Ask until the answer is true, for `deadline` seconds; `what` is named when it never is."""
    end = time.monotonic() + deadline
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:g} s: {what} (last seen: {found!r})")
        time.sleep(0.02)
    return found


class ApacheKafka:
    """One Apache Kafka node, with its data under `data`; it is always started on the port of its first start."""

    def __init__(self, data: Path, port: int = 0) -> None:
        self._data = data
        self.address = f"127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it and give its address."""
        self._data.mkdir(parents=True, exist_ok=True)
        endpoint, log = self._data / "endpoint", self._data / "run.log"
        endpoint.unlink(missing_ok=True)
        command = [sys.executable, str(ROOT / "deploy/apache-kafka/run.py"), "--data", str(self._data)]
        command += ["--port", self.address.rpartition(":")[2]]
        with log.open("ab") as output:
            self._process = process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        wait_for(lambda: endpoint.exists() or process.poll() is not None, READY_SECONDS, "Apache Kafka is up")
        assert process.poll() is None, f"Apache Kafka did not start:\n{tail(log)}"
        self.address = endpoint.read_text()
        return self.address

    @property
    def broker(self) -> int:
        """The process id of the node itself."""
        return int((self._data / "pid").read_text())

    def stop(self) -> None:
        """Stop it as an operator would."""
        if self._process is not None:
            self._process.terminate()
            self.wait()

    def wait(self) -> None:
        """Wait until it has ended."""
        assert self._process is not None
        self._process.wait(STOP_SECONDS)


class Stack:
    """A running `aftertouch up`. `env` is added to its environment, `only` names the parts to start.

    With `kafka="apache"` it uses an Apache Kafka node of its own instead of the embedded broker.
    """

    def __init__(
        self, data: Path, env: Mapping[str, str] | None = None, kafka: str = "embedded", only: str = ""
    ) -> None:
        self.data = data
        self._env = dict(env or {})
        self._only = only
        self._apache = ApacheKafka(data / "apache-kafka") if kafka == "apache" else None
        self._up: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and return when every part is ready."""
        self.data.mkdir(parents=True, exist_ok=True)
        if self._apache is not None:
            self._env["KAFKA_BOOTSTRAP"] = self._apache.start()
        ready = self.data / "endpoints.json"
        ready.unlink(missing_ok=True)  # a killed one leaves it behind
        try:
            self._up = process = self.launch()
            wait_for(
                lambda: ready.exists() or process.poll() is not None, READY_SECONDS, "every part is ready"
            )
            assert process.poll() is None, f"up ended with exit code {process.returncode}"
        except AssertionError as failure:
            self.stop()
            raise AssertionError(f"{failure}\n{self.logs()}") from None

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the process without waiting for anything; its output goes to `output`."""
        free_ports = {PORT_OF[name].upper(): "0" for name in NAMES}
        own = {"AFTERTOUCH_DATA": str(self.data), **free_ports, **self._env}
        inherited = {k: v for k, v in os.environ.items() if k not in ("KAFKA_BOOTSTRAP", "CLICKHOUSE_URL")}
        command = [sys.executable, "-m", "deploy.up.leash", "deploy.cli", "up"]
        command += ["--only", self._only] if self._only else []
        with self.output.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=inherited | own,
                stdin=_leash(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> int:
        """Stop it with SIGTERM, and Apache Kafka after it; gives its exit code."""
        if not self.ended:
            self.send(signal.SIGTERM)
        code = self.wait()
        if self._apache is not None:
            self._apache.stop()
        return code

    def kill(self) -> None:
        """Kill the supervisor: its parts have to end by themselves."""
        self.send(signal.SIGKILL)
        self.wait()

    def send(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        assert self._up is not None
        self._up.send_signal(number)

    def wait(self) -> int:
        """The exit code of `aftertouch up`, when it has ended."""
        return 0 if self._up is None else self._up.wait(STOP_SECONDS)

    @property
    def ended(self) -> bool:
        """Whether `aftertouch up` does not run."""
        return self._up is None or self._up.poll() is not None

    @property
    def output(self) -> Path:
        """What `aftertouch up` printed."""
        return self.data / "up.out"

    @property
    def endpoints(self) -> Endpoints:
        """Addresses and process ids as of now."""
        return read_endpoints(self.data)

    def url(self, name: str) -> str:
        """The address of a part: a URL, or host:port for kafka."""
        return self.endpoints.urls[name]

    def pid(self, name: str) -> int:
        """The process id of a part as of now: it changes when the part is started again."""
        return self.endpoints.pids[name]

    @property
    def keys(self) -> dict[str, str]:
        """The development keys: server, browser, import, bi_user, bi_password."""
        keys: dict[str, str] = json.loads((self.data / "dev-keys.json").read_bytes())
        return keys

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows that ClickHouse gives."""
        status, body = request("POST", self.url("clickhouse"), f"{sql} FORMAT JSONEachRow".encode())
        assert status == 200, body.decode()
        return [json.loads(line) for line in body.splitlines()]

    def post(self, answers: Any, key: str = "server") -> tuple[int, Any]:
        """Post answers to /v1/feedback with one of the keys; gives status and JSON."""
        return self.ask("ingest", "POST", "/v1/feedback", answers, key)

    def ask(
        self, part: str, method: str, path: str, content: Any = None, key: str = "server"
    ) -> tuple[int, Any]:
        """Send a request with JSON to a part with one of the keys; gives status and JSON."""
        headers = {"Authorization": f"Bearer {self.keys[key]}", "Content-Type": "application/json"}
        body = b"" if content is None else json.dumps(content).encode()
        status, answer = request(method, f"{self.url(part)}{path}", body, headers)
        return status, json.loads(answer) if answer else None

    def logs(self) -> str:
        """The end of everything that was said."""
        files = [self.output, *sorted((self.data / "logs").glob("*.log"))]
        return "\n".join(f"--- {file.name}\n{tail(file)}" for file in files if file.exists())


def request(
    method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """One HTTP request on a connection of its own; gives status and body."""
    sent = {"Connection": "close", **(headers or {})}
    answer = urllib3.request(method, url, body=body, headers=sent, retries=False)
    return answer.status, answer.data


@cache
def _leash() -> int:
    """The reading end of a pipe that closes when the tests end, however they end: no stack outlives them."""
    return os.pipe()[0]


def tail(file: Path) -> str:
    """The end of a file."""
    return file.read_text(errors="replace")[-LOG_TAIL:]
