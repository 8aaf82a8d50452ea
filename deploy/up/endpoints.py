"""The file endpoints.json in the data directory: where everything is while the stack is ready."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from deploy.up.credentials import write_private

FILE = "endpoints.json"


class Endpoints(Struct, frozen=True):
    """Addresses and process ids by part; Kafka's address is host:port, `up` is the supervisor's process."""

    urls: Mapping[str, str]
    pids: Mapping[str, int]
    up: int


def write_endpoints(data: Path, endpoints: Endpoints) -> None:
    """Replace the file in one step."""
    write_private(data / FILE, msgspec.json.format(msgspec.json.encode(endpoints), indent=2))


def read_endpoints(data: Path) -> Endpoints:
    """Raises OSError when no stack is ready on this data directory."""
    return msgspec.json.decode((data / FILE).read_bytes(), type=Endpoints)


def remove_endpoints(data: Path) -> None:
    """Nothing is ready any more."""
    (data / FILE).unlink(missing_ok=True)
