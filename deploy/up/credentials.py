"""The keys of a development installation: made once, shown at every start, readable for their owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.keys import Key, Scope, digest, write_keys

WORKSPACE = "default"


class DevKeys(Struct, frozen=True, rename={"imports": "import"}):
    """The file dev-keys.json: secrets of the HTTP doors, and the read-only ClickHouse user."""

    server: str
    browser: str
    imports: str
    bi_user: str
    bi_password: str


def new_keys() -> DevKeys:
    """Fresh secrets."""
    return DevKeys(
        server=f"sk_{secrets.token_urlsafe(24)}",
        browser=f"pk_{secrets.token_urlsafe(24)}",
        imports=f"sk_{secrets.token_urlsafe(24)}",
        bi_user="bi",
        bi_password=secrets.token_urlsafe(12),
    )


def dev_keys(data: Path) -> DevKeys:
    """The keys of this data directory, made at its first start."""
    file = data / "dev-keys.json"
    if not file.exists():
        write_private(file, msgspec.json.format(msgspec.json.encode(new_keys()), indent=2))
    return msgspec.json.decode(file.read_bytes(), type=DevKeys)


def write_key_files(data: Path, keys: DevKeys) -> None:
    """What the services and the embedded ClickHouse read: hashes of the keys, and its users."""
    write_private(data / "keys.json", write_keys(door_keys(keys)))
    users = {"default": {"password": ""}, keys.bi_user: {"password": keys.bi_password, "readonly": True}}
    write_private(data / "clickhouse-users.json", msgspec.json.encode(users))


def door_keys(keys: DevKeys) -> list[Key]:
    """The keys with a scope; the browser key gets one when browsers may post."""
    scopes: dict[str, tuple[str, list[Scope]]] = {
        "server": (keys.server, ["write", "read", "act"]),
        "import": (keys.imports, ["write", "import"]),
    }
    return [
        Key(name=name, sha256=digest(secret), workspace=WORKSPACE, scopes=allowed)
        for name, (secret, allowed) in scopes.items()
    ]


def write_private(file: Path, content: bytes) -> None:
    """Replace a file in one step, readable for its owner only."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content + b"\n")
    fresh.replace(file)
