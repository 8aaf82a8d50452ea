"""`aftertouch doctor`: looks at every part of a running stack and says of each what is wrong and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from msgspec import Struct

from deploy.up.endpoints import read_endpoints
from deploy.up.parts import PORT_OF, SERVICES
from deploy.up.probes import http_probe, tcp_probe, without_login
from deploy.up.settings import UpSettings
from schemas.keys import read_keys

PATIENCE = 4.0
START = "start everything with `make up`"
PROVISION = "run `aftertouch provision`"


class Finding(Struct, frozen=True):
    """One thing that was looked at: fine when there is no trouble."""

    name: str
    detail: str
    trouble: str
    remedy: str

    def line(self) -> str:
        """For people: one line, with what to do."""
        if not self.trouble:
            return f"ok   {self.name:<10} {self.detail}"
        return f"BAD  {self.name:<10} {self.trouble}: {self.remedy}"


async def examine(settings: UpSettings) -> list[Finding]:
    """Everything at once, in a few seconds at most."""
    urls = addresses(settings)
    kafka, clickhouse = urls["kafka"], urls["clickhouse"]
    ping = f"{without_login(clickhouse)}/ping"
    groups = await asyncio.gather(
        _store(_found("kafka", kafka, tcp_probe(kafka), START), "topics", lambda: topics_trouble(kafka)),
        _store(
            _found("clickhouse", ping, http_probe(ping), START), "tables", lambda: tables_trouble(clickhouse)
        ),
        *(_service(settings, name, urls[name]) for name in SERVICES),
    )
    keys = await _looked("keys", lambda: keys_trouble(settings.aftertouch_data / "keys.json"), START)
    return [*(finding for group in groups for finding in group), keys]


def addresses(settings: UpSettings) -> Mapping[str, str]:
    """Where the parts are: as given, as a running `aftertouch up` says, or as the ports say."""
    ports = {name: f"http://127.0.0.1:{getattr(settings, PORT_OF[name])}" for name in SERVICES}
    declared = {"kafka": settings.kafka_address, "clickhouse": settings.clickhouse_address, **ports}
    given = {"kafka": settings.kafka_bootstrap, "clickhouse": settings.clickhouse_url}
    try:
        running = read_endpoints(settings.aftertouch_data).urls
    except (OSError, ValueError):
        return declared
    return {**declared, **running, **{name: address for name, address in given.items() if address}}


def topics_trouble(bootstrap: str) -> str:
    """Which topics are not as declared."""
    from deploy.provision.topics import topic_differences

    differing = topic_differences(bootstrap, timeout_ms=2000)
    return f"not as declared: {', '.join(d.topic.name for d in differing)}" if differing else ""


def tables_trouble(clickhouse_url: str) -> str:
    """Which tables and views are missing."""
    from deploy.provision.tables import missing_tables

    missing = missing_tables(clickhouse_url)
    return f"missing: {', '.join(missing)}" if missing else ""


def keys_trouble(file: Path) -> str:
    """Why the keys file cannot be used."""
    if not file.exists():
        return f"{file} does not exist"
    return "" if read_keys(file.read_bytes()).by_hash else f"{file} has no key"


async def _store(store: Awaitable[Finding], name: str, look: Callable[[], str]) -> list[Finding]:
    """A store, and what has to be in it: that is looked at only when the store answers."""
    found = await store
    return [found] if found.trouble else [found, await _looked(name, look, PROVISION)]


async def _service(settings: UpSettings, name: str, url: str) -> list[Finding]:
    remedy = f"see {settings.aftertouch_data}/logs/{name}.log, or {START}"
    return [await _found(name, url, http_probe(f"{url}/readyz"), remedy)]


async def _looked(name: str, look: Callable[[], str], remedy: str) -> Finding:
    return await _found(name, "as declared", lambda: asyncio.to_thread(look), remedy)


async def _found(name: str, detail: str, ask: Callable[[], Awaitable[str]], remedy: str) -> Finding:
    try:
        trouble = await asyncio.wait_for(ask(), PATIENCE)
    except TimeoutError:
        trouble = f"no answer within {PATIENCE:.0f} s"
    except Exception as error:  # whatever a client raises is the finding
        trouble = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Finding(name, detail, trouble, remedy)
