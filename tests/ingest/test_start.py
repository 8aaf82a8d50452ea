"""Ingest says in one sentence why it cannot start, and exits with 2."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from services.ingest.__main__ import main
from services.ingest.settings import IngestSettings
from tests.ingest.processes import environment, spawn

Failing = Callable[..., str]


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Failing:
    """Start ingest with these settings, which must fail; what it says."""

    def start(**settings: str) -> str:
        for name, value in environment(tmp_path, **settings).items():
            monkeypatch.setenv(name, value)
        assert main() == 2
        said = capsys.readouterr().err
        assert said.startswith("ingest cannot start: ")
        assert said.count("\n") == 1
        return said

    return start


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("INGEST_PORT", "http", "INGEST_PORT: Input should be a valid integer"),
        ("INGEST_PORT", "65536", "INGEST_PORT"),
        ("INGEST_LOG_LEVEL", "LOUD", "INGEST_LOG_LEVEL"),
        ("INGEST_READ_TIMEOUT_SECONDS", "0", "INGEST_READ_TIMEOUT_SECONDS"),
        ("INGEST_HOST", "not a host", "cannot listen on not a host"),
        ("INGEST_KEYS_FILE", "/nowhere/keys.json", "/nowhere/keys.json: No such file or directory"),
        ("INGEST_KEYS_FILE", __file__, "is not a JSON list of keys"),
        ("KAFKA_BOOTSTRAP", "", "KAFKA_BOOTSTRAP"),
        ("KAFKA_BOOTSTRAP", "127.0.0.1:http", "KAFKA_BOOTSTRAP"),
    ],
)
def test_a_bad_setting(failing: Failing, setting: str, value: str, said: str) -> None:
    assert said in failing(**{setting: value})


def test_a_taken_port(failing: Failing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}" in failing(INGEST_PORT=str(port))


async def test_the_process_says_so_on_stderr(tmp_path: Path) -> None:
    process = await spawn(environment(tmp_path, INGEST_PORT="x"))
    _, stderr = await process.communicate()
    assert process.returncode == 2
    assert stderr.startswith(b"ingest cannot start: INGEST_PORT")


def test_every_setting_is_described() -> None:
    assert all(field.description for field in IngestSettings.model_fields.values())


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        IngestSettings().port = 1
