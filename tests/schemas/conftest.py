"""A ClickHouse with the contract's tables and views, for all tests of the SQL; and no deadlines on busy machines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from deploy.provision.tables import apply_schema
from tests.embedded.clickhouse.server import Server, start

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded ClickHouse over HTTP, with user `bi` who may only read."""
    running = start(tmp_path_factory.mktemp("schemas") / "clickhouse")
    try:
        apply_schema(f"http://default:@127.0.0.1:{running.port}")
        yield running
    finally:
        running.end()
