"""The parts of the stack, in the order of an event's path, and what each is started with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from deploy.up.probes import without_login
from deploy.up.settings import UpSettings

STORES = ("kafka", "clickhouse")
WORKERS = ("windows", "customers", "sink")
SERVICES = ("ingest", *WORKERS, "alerts")
NAMES = (*STORES, *SERVICES)
STOP_ORDER = (*SERVICES, "clickhouse", "kafka")

PORT_OF = {
    "kafka": "kafka_port",
    "clickhouse": "clickhouse_port",
    "ingest": "ingest_port",
    "windows": "aggregator_port",
    "customers": "aggregator_customers_port",
    "sink": "aggregator_sink_port",
    "alerts": "alerts_port",
}
"""The setting, and in capitals the environment variable, that gives a part its port."""


class Part(Struct, frozen=True):
    """One process: a Python module, its arguments, and what is added to its environment."""

    name: str
    module: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


class Places(Struct, frozen=True):
    """Where the parts find each other and their data; `reachable` are those started here or given."""

    data: Path
    ports: Mapping[str, int]
    kafka: str
    clickhouse: str
    reachable: frozenset[str]

    def url(self, name: str) -> str:
        """The HTTP address of a part."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def urls(self) -> dict[str, str]:
        """Addresses to show, in the order of an event's path; Kafka's is host:port."""
        stores = {"kafka": self.kafka, "clickhouse": without_login(self.clickhouse)}
        return {name: stores.get(name) or self.url(name) for name in NAMES if name in self.reachable}


def started_names(settings: UpSettings, only: frozenset[str]) -> tuple[str, ...]:
    """The parts to start: not the stores that are given, and only those asked for, if any are."""
    return tuple(name for name in NAMES if name not in _given(settings) and (not only or name in only))


def _given(settings: UpSettings) -> set[str]:
    stores = {"kafka": settings.kafka_bootstrap, "clickhouse": settings.clickhouse_url}
    return {name for name, address in stores.items() if address}


def places(settings: UpSettings, names: tuple[str, ...], ports: Mapping[str, int]) -> Places:
    """Addresses of the whole stack, of which `names` are started here."""
    return Places(
        data=settings.aftertouch_data.resolve(),
        ports=ports,
        kafka=settings.kafka_bootstrap or f"127.0.0.1:{ports['kafka']}",
        clickhouse=settings.clickhouse_url or f"http://default:@127.0.0.1:{ports['clickhouse']}",
        reachable=frozenset(names).union(_given(settings)),
    )


def describe(name: str, where: Places) -> Part:
    """How a part is started."""
    return _store(name, where) if name in STORES else _service(name, where)


def _store(name: str, where: Places) -> Part:
    arguments = ["--data", str(where.data / name), "--port", str(where.ports[name])]
    if name == "clickhouse":
        arguments += ["--users", str(where.data / "clickhouse-users.json")]
    return Part(name, f"deploy.embedded.{name}", tuple(arguments), {})


def _service(name: str, where: Places) -> Part:
    worker = name in WORKERS
    environment = {
        "KAFKA_BOOTSTRAP": where.kafka,
        "CLICKHOUSE_URL": where.clickhouse,
        "INGEST_KEYS_FILE": str(where.data / "keys.json"),
        "ALERTS_KEYS_FILE": str(where.data / "keys.json"),
        "AGGREGATOR_DATA_DIR": str(where.data / "aggregator" / name),
        "AGGREGATOR_RULES_FILE": str(where.data / "rules.toml"),
        "ALERTS_RULES_FILE": str(where.data / "rules.toml"),
        PORT_OF[name].upper(): str(where.ports[name]),
    }
    module = "services.aggregator" if worker else f"services.{name}"
    return Part(name, module, (name,) if worker else (), environment)
