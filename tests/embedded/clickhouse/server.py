"""The gateway as its users meet it: a process, a socket, a directory."""

import contextlib
import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import clickhouse_connect
from clickhouse_connect.driver.client import Client

USERS: dict[str, dict[str, object]] = {
    "default": {"password": ""},
    "bi": {"password": "secret", "readonly": True, "max_result_rows": 10_000, "max_execution_time": 20},
}
Reply = tuple[int, http.client.HTTPMessage, bytes]


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def reusable_port() -> int:
    """A free port that no outgoing connection can take while the server is down: below the ephemeral range."""
    for port in random.sample(range(20_000, 32_000), 50):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


@dataclass
class Server:
    directory: Path
    process: subprocess.Popen[str]
    port: int

    def ask(
        self, sql: str | bytes = "", headers: Mapping[str, str] | None = None, /, **values: object
    ) -> Reply:
        """POST as curl --data-binary does."""
        return self.send(
            "POST", "/?" + urlencode(values), sql.encode() if isinstance(sql, str) else sql, headers
        )

    def send(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def text(self, sql: str, **values: object) -> str:
        status, _, body = self.ask(sql, **values)
        assert status == 200, body
        return body.decode().rstrip("\n")

    def client(self, username: str = "default", password: str = "", **options: object) -> Client:
        return clickhouse_connect.get_client(
            host="127.0.0.1", port=self.port, username=username, password=password, **options
        )

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def command(directory: Path, port: int = 0, users: Path | None = None) -> list[str]:
    words = [
        sys.executable,
        "-m",
        "deploy.embedded.clickhouse",
        "--data",
        str(directory),
        "--port",
        str(port),
    ]
    return words + (["--users", str(users)] if users else [])


Launch = Callable[..., Server]


def start(directory: Path, port: int = 0, users: Mapping[str, object] | None = USERS) -> Server:
    users_file = directory.parent / f"{directory.name}-users.json" if users else None
    if users_file:
        users_file.write_text(json.dumps(users))
    endpoint = directory / "endpoint"
    endpoint.unlink(missing_ok=True)
    process = subprocess.Popen(command(directory, port, users_file), text=True)
    until(lambda: endpoint.exists() or process.poll() is not None, 30, "the gateway announces its endpoint")
    assert process.poll() is None, "the gateway ended instead of listening"
    return Server(directory, process, int(endpoint.read_text().strip().rpartition(":")[2]))
