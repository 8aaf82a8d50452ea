"""clickhouse-go over HTTP with the options of Grafana's data source: a client built from tests/embedded/clients."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.embedded.clickhouse.server import Server

pytestmark = pytest.mark.clients
SOURCES = Path(__file__).parent.parent / "clients"


def test_every_feature_works(server: Server, table: str, tmp_path: Path) -> None:
    client = tmp_path / "client"
    subprocess.run(["go", "build", "-o", client, "."], cwd=SOURCES, check=True, timeout=150)
    words = [str(client), f"127.0.0.1:{server.port}", "bi", "secret", table]
    came = json.loads(subprocess.run(words, capture_output=True, check=True, timeout=60).stdout)
    assert len(came) == 9
    assert {feature: why for feature, why in came.items() if why} == {}
