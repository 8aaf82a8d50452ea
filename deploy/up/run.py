"""The life of one stack: checks, keys, Kafka and ClickHouse, topics and tables, services, the orderly end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from deploy.provision.differences import sentence
from deploy.up.banner import banner
from deploy.up.credentials import DevKeys, dev_keys, write_key_files
from deploy.up.endpoints import Endpoints, remove_endpoints, write_endpoints
from deploy.up.failure import Failure
from deploy.up.parts import SERVICES, STOP_ORDER, STORES, Places, describe, places, started_names
from deploy.up.preflight import choose_ports, require_packages, sole_use
from deploy.up.probes import Probe, http_probe, tcp_probe
from deploy.up.restart import Policy
from deploy.up.settings import UpSettings
from deploy.up.supervisor import Say, Supervisor


def up(settings: UpSettings, only: frozenset[str], say: Say) -> None:
    """Run the stack until Ctrl-C or SIGTERM; raises Failure when it cannot run."""
    names = started_names(settings, only)
    data = settings.aftertouch_data.resolve()
    require_packages()
    with sole_use(data):
        where = places(settings, names, choose_ports(settings, names))
        asyncio.run(Stack(where, _prepare(data), names, say).run())


def _prepare(data: Path) -> DevKeys:
    remove_endpoints(data)
    (data / "logs").mkdir(mode=0o700, exist_ok=True)
    keys = dev_keys(data)
    write_key_files(data, keys)
    return keys


class Stack:
    """The parts that were started here, among the addresses of all."""

    def __init__(self, where: Places, keys: DevKeys, names: tuple[str, ...], say: Say) -> None:
        self._where = where
        self._keys = keys
        self._names = names
        self._say = say
        self._supervisor = Supervisor(where.data / "logs", say, time.monotonic, Policy())

    async def run(self) -> None:
        """From nothing to ready, until a signal comes, and back to nothing."""
        task = asyncio.current_task()
        assert task is not None
        _on_signals(task.cancel)
        self._say(f"Starting {', '.join(self._names)} on {self._where.data} ...")
        try:
            await self._keep_running()
        except asyncio.CancelledError:
            self._say("Stopping ...")
        finally:
            _on_signals(lambda: None)
            remove_endpoints(self._where.data)
            await self._supervisor.stop(STOP_ORDER)

    async def _keep_running(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                await self._start(group, STORES)
                await asyncio.to_thread(self._provision)
                await self._start(group, SERVICES)
                self._announce()
        except* Failure as failures:
            raise _first(failures) from None

    async def _start(self, group: asyncio.TaskGroup, names: Iterable[str]) -> None:
        started = [name for name in names if name in self._names]
        for name in started:
            group.create_task(self._supervisor.keep(describe(name, self._where)), name=name)
        await asyncio.gather(*(self._supervisor.await_ready(name, self._probe(name)) for name in started))

    def _probe(self, name: str) -> Probe:
        if name == "kafka":
            return tcp_probe(self._where.kafka)
        return http_probe(f"{self._where.url(name)}/{'ping' if name == 'clickhouse' else 'readyz'}")

    def _provision(self) -> None:
        from deploy.provision import command  # its libraries load while Kafka and ClickHouse start

        if "kafka" in self._where.reachable:
            for difference in command.topics(self._where.kafka):
                if not difference.missing:
                    self._say(sentence(difference))
        if "clickhouse" in self._where.reachable:
            command.tables(self._where.clickhouse)

    def _announce(self) -> None:
        own_clickhouse = "clickhouse" in self._names
        for line in banner(self._where.urls(), self._keys, self._where.data, own_clickhouse):
            self._say(line)
        self._supervisor.changed = self._write_endpoints
        self._write_endpoints()

    def _write_endpoints(self) -> None:
        pids = self._supervisor.pids()
        write_endpoints(self._where.data, Endpoints(urls=self._where.urls(), pids=pids, up=os.getpid()))


def _on_signals(do: Callable[[], object]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, do)


def _first(failures: BaseExceptionGroup[Failure]) -> Failure:
    failure = failures.exceptions[0]
    return failure if isinstance(failure, Failure) else _first(failure)
