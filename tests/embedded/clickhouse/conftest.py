"""One gateway for the whole session, and a table of its own for each test."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from tests.embedded.clickhouse.server import Launch, Server, start

_numbers = count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start(tmp_path_factory.mktemp("clickhouse") / "data")
    yield running
    assert running.stop() == 0


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Starts gateways for one test, and ends those that the test left running."""
    with ExitStack() as running:

        def launched(*asked: Any, **named: Any) -> Server:
            server = start(*asked, **named)
            running.callback(server.end)
            return server

        yield launched


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.client() as connected:
        yield connected


@pytest.fixture
def table(server: Server) -> Iterator[str]:
    name = f"t{next(_numbers)}"
    server.text(
        f"CREATE TABLE {name} (id UInt32, name LowCardinality(String), at DateTime64(3, 'UTC'), "
        "score Nullable(Float64), tags Map(String, String)) ENGINE = MergeTree ORDER BY id "
        "SETTINGS non_replicated_deduplication_window = 1000"
    )
    yield name
    server.text(f"DROP TABLE {name}")
