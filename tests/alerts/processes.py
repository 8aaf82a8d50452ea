"""The real processes: the embedded Kafka broker, and the alerts service against it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.feedback import topic_key
from schemas.keys import write_keys
from schemas.signals import Signal
from schemas.topics import ALERTS, SIGNALS
from tests.alerts.examples import KEYS
from tests.alerts.waiting import DEADLINE, until


class Broker:
    """The embedded broker, with the two topics that alerts needs."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    async def create_topics(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(t.name, t.partitions, 1) for t in (SIGNALS, ALERTS)])
        finally:
            await admin.close()

    async def signal(self, *signals: Signal | bytes) -> None:
        """Publish signals as the aggregator does."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await producer.start()
        try:
            for one in signals:
                raw = one if isinstance(one, bytes) else msgspec.json.encode(one)
                key = b"acme/x" if isinstance(one, bytes) else topic_key(one.workspace, one.touchpoint)
                await producer.send_and_wait(SIGNALS.name, key=key, value=raw)
        finally:
            await producer.stop()


@contextmanager
def process(module: str, *args: str, env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running `python -m module`, killed at the end if it still runs."""
    with log.open("ab") as out:
        running = subprocess.Popen([sys.executable, "-m", module, *args], env=os.environ | env, stderr=out)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@asynccontextmanager
async def broker(data: Path) -> AsyncIterator[Broker]:
    """A broker of its own for one test."""
    endpoint = data / "endpoint"

    async def listening() -> str:
        return endpoint.read_text().strip() if endpoint.exists() else ""

    args = ["--data", str(data), "--port", "0"]
    with process("deploy.embedded.kafka", *args, env={}, log=data.parent / "broker.log"):
        started = Broker(await until(listening, "the broker listens"))
        await started.create_topics()
        yield started


class Alerts:
    """A running alerts service."""

    def __init__(self, running: subprocess.Popen[bytes], log: Path, session: aiohttp.ClientSession) -> None:
        self.running, self.log, self._session = running, log, session
        self._log_from = log.stat().st_size if log.exists() else 0

    async def url(self) -> str:
        said = self.log.read_bytes()[self._log_from :].decode()
        found = re.search(r"event=listening url=(\S+)", said)
        return found[1] if found else ""

    async def get(self, path: str) -> tuple[int, str]:
        headers = {"Authorization": "Bearer sk_reader"}
        url = await until(self.url, "the service listens")
        async with self._session.get(url + path, headers=headers) as answer:
            return answer.status, await answer.text()

    async def ready(self) -> bool:
        return (await self.get("/readyz"))[0] == 200

    async def alerts(self, query: str = "") -> list[dict[str, Any]]:
        status, text = await self.get(f"/v1/alerts{query}")
        assert status == 200, text
        found: list[dict[str, Any]] = msgspec.json.decode(text)["alerts"]
        return found

    async def with_delivery(self, *outcomes: str) -> bool:
        """Whether the alerts, newest first, have these delivery outcomes."""
        return [alert["delivery"] for alert in await self.alerts()] == list(outcomes)

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()

    async def terminate(self) -> int:
        """The exit code after SIGTERM."""
        self.running.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.running.wait, DEADLINE)


@asynccontextmanager
async def alerts(bootstrap: str, folder: Path, **settings: str) -> AsyncIterator[Alerts]:
    """The service with these ALERTS_ settings, waited for until it is listening."""
    keys, log = folder / "keys.json", folder / "alerts.log"
    keys.write_bytes(write_keys(KEYS))
    env = {"KAFKA_BOOTSTRAP": bootstrap, "ALERTS_PORT": "0", "ALERTS_KEYS_FILE": str(keys)}
    env |= {f"ALERTS_{name.upper()}": value for name, value in settings.items()}
    async with aiohttp.ClientSession() as session:
        start = log.stat().st_size if log.exists() else 0
        with process("services.alerts", env=env, log=log) as running:
            service = Alerts(running, log, session)
            service._log_from = start
            await until(service.url, "the service listens")
            yield service
