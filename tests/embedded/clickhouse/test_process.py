"""The process: one directory, one port, clear refusals, a clean stop."""

import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.embedded.clickhouse.server import Launch, Server, command, reusable_port


def refused(directory: Path, port: int = 0, users: Path | None = None) -> str:
    done = subprocess.run(command(directory, port, users), capture_output=True, text=True, timeout=30)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


def test_a_second_process_on_the_same_directory(server: Server) -> None:
    before = (server.directory / "endpoint").read_text()
    assert str(server.directory) in refused(server.directory)
    assert (server.directory / "endpoint").read_text() == before
    assert server.text("SELECT 1") == "1"


def test_a_taken_port(server: Server, tmp_path: Path) -> None:
    assert str(server.port) in refused(tmp_path / "data", port=server.port)


@pytest.mark.parametrize("content", [None, "{", '{"bi": {"pasword": "x"}}', '{"bi": "x"}'])
def test_an_unusable_users_file(tmp_path: Path, content: str | None) -> None:
    users = tmp_path / "users.json"
    if content is not None:
        users.write_text(content)
    assert str(users) in refused(tmp_path / "data", users=users)


def test_a_directory_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in refused(tmp_path / "file")


def test_only_this_user_and_this_machine(server: Server) -> None:
    assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
    assert (server.directory / "endpoint").read_text() == f"127.0.0.1:{server.port}\n"
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", server.port)) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_and_finds_its_data_again(
    launch: Launch, tmp_path: Path, number: signal.Signals
) -> None:
    first = launch(tmp_path / "data", port=reusable_port())
    first.text("CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a")
    first.ask("INSERT INTO kept VALUES (1), (2)")
    first.process.send_signal(number)
    assert first.process.wait(5) == 0
    assert not (tmp_path / "data" / "endpoint").exists()
    second = launch(tmp_path / "data", port=first.port)
    assert second.text("SELECT sum(a) FROM kept") == "3"
    assert second.stop() == 0


def test_told_to_stop_before_anyone_asked(launch: Launch, tmp_path: Path) -> None:
    assert launch(tmp_path / "data").stop() == 0


def test_without_a_users_file_there_is_only_default(launch: Launch, tmp_path: Path) -> None:
    alone = launch(tmp_path / "data", users=None)
    assert alone.text("SELECT 1") == "1"
    assert alone.ask("SELECT 1", user="bi")[0] == 403
    assert alone.stop() == 0


def test_a_default_user_with_a_password_is_asked_for_it(launch: Launch, tmp_path: Path) -> None:
    guarded = launch(tmp_path / "data", users={"default": {"password": "p"}})
    status, headers, _ = guarded.ask("SELECT 1")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="ClickHouse server HTTP API"')
    assert guarded.text("SELECT 1", user="default", password="p") == "1"
    assert guarded.send("GET", "/ping")[0] == 200
    assert guarded.stop() == 0
