"""Ingest says in one sentence why it cannot start, and exits with 2."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.ingest.processes import environment, spawn


async def failure(env: dict[str, str]) -> str:
    process = await spawn(env)
    _, stderr = await process.communicate()
    assert process.returncode == 2
    return stderr.decode()


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("INGEST_PORT", "http", "INGEST_PORT"),
        ("INGEST_LOG_LEVEL", "LOUD", "INGEST_LOG_LEVEL"),
        ("INGEST_KEYS_FILE", "/nowhere/keys.json", "No such file"),
        ("KAFKA_BOOTSTRAP", "", "KAFKA_BOOTSTRAP"),
    ],
)
async def test_a_bad_setting(tmp_path: Path, setting: str, value: str, said: str) -> None:
    message = await failure(environment(tmp_path, **{setting: value}))
    assert message.startswith("ingest cannot start: ")
    assert said in message
    assert message.count("\n") == 1


async def test_keys_that_are_none(tmp_path: Path) -> None:
    message = await failure(environment(tmp_path, INGEST_KEYS_FILE=__file__))
    assert "is not a JSON list of keys" in message
    assert message.count("\n") == 1


async def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = await failure(environment(tmp_path, INGEST_PORT=str(port)))
    assert f"cannot listen on 127.0.0.1:{port}" in message
    assert message.count("\n") == 1
