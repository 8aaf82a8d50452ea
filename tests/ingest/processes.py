"""Starts the embedded broker and ingest as the processes they are in production."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from schemas.keys import write_keys
from schemas.topics import EVENTS
from tests.ingest.serving import KEYS

START_SECONDS = 20.0


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = START_SECONDS) -> None:
    """Wait for another process to come to a state."""
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


class Broker:
    """The embedded broker on one directory and one port, which can be killed and started again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        (self.data / "endpoint").unlink(missing_ok=True)
        arguments = ["-m", "deploy.embedded.kafka", "--data", str(self.data), "--port", str(self.port)]
        self._process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
        await until(self._listens)
        self.port = int((self.data / "endpoint").read_text().rpartition(":")[2])
        await self._provision()

    async def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, "the broker did not start"
        endpoint = self.data / "endpoint"
        return endpoint.exists() and bool(endpoint.read_text().strip())

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(how)
            await self._process.wait()

    async def _provision(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(EVENTS.name, EVENTS.partitions, 1)])
        except TopicAlreadyExistsError:
            pass
        finally:
            await admin.close()


class Ingest:
    """A running `python -m services.ingest`."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, first_lines: list[str]) -> None:
        self.process = process
        self.url = url
        self.lines = first_lines
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line.decode())

    async def stop(self) -> int:
        """Ask it to stop; its exit code."""
        if self.process.returncode is None:
            self.process.terminate()
        code = await self.process.wait()
        await self._reading
        return code


def environment(directory: Path, **settings: str) -> dict[str, str]:
    keys = directory / "keys.json"
    keys.write_bytes(write_keys(KEYS))
    return os.environ | {"INGEST_PORT": "0", "INGEST_KEYS_FILE": str(keys)} | settings


async def spawn(env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.ingest", env=env, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def ingesting(directory: Path, kafka: str, **settings: str) -> AsyncIterator[Ingest]:
    """Ingest on a free port, running until the block ends."""
    process = await spawn(environment(directory, KAFKA_BOOTSTRAP=kafka, **settings))
    assert process.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(START_SECONDS):
        while not (found := re.search(r"url=(\S+)", lines[-1] if lines else "")):
            lines.append((await process.stderr.readline()).decode())
            assert lines[-1], f"ingest did not start: {lines}"
    ingest = Ingest(process, found[1], lines)
    try:
        yield ingest
    finally:
        await ingest.stop()
