"""`aftertouch up` as a person meets it: it starts, says what it has to say, and leaves nothing behind."""

import json
import os
import signal
import socket
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from deploy.up.preflight import missing_packages
from tests.stack import Stack, wait_for

BROKER = "kafka"
"""The smallest stack: one part, which is the quickest to start."""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _replaced_or_ended(stack: Stack, pid: int) -> bool:
    return stack.ended or ((stack.data / "endpoints.json").exists() and stack.pid(BROKER) != pid)


def _sentence(stack: Stack) -> str:
    """What a start that must fail says, with exit code 2."""
    process = stack.launch()
    assert process.wait(15) == 2
    return stack.output.read_text()


@pytest.fixture
def broker(make_stack: Callable[..., Stack]) -> Stack:
    return make_stack(only=BROKER)


def test_stops_cleanly_on_sigterm_and_leaves_no_process(broker: Stack) -> None:
    pid = broker.pid(BROKER)
    assert broker.stop() == 0
    assert not _alive(pid)
    assert not (broker.data / "endpoints.json").exists()


def test_ctrl_c_reaches_only_the_supervisor_and_ends_with_zero(broker: Stack) -> None:
    pid, up = broker.pid(BROKER), broker.endpoints.up
    assert os.getpgid(pid) == pid != os.getpgid(up)
    os.kill(up, signal.SIGINT)
    wait_for(lambda: not _alive(pid), 15, "the broker has stopped")
    assert broker.wait() == 0


def test_keys_are_made_once_and_only_their_owner_reads_them(broker: Stack) -> None:
    before = broker.keys
    assert set(before) == {"server", "browser", "import", "bi_user", "bi_password"}
    for name in ("dev-keys.json", "keys.json", "clickhouse-users.json", "endpoints.json"):
        assert stat.S_IMODE((broker.data / name).stat().st_mode) == 0o600
    secrets = [before["server"], before["browser"], before["import"]]
    assert not any(secret in (broker.data / "keys.json").read_text() for secret in secrets)
    broker.stop()
    broker.start()
    assert broker.keys == before


def test_a_killed_part_is_started_again_and_named(broker: Stack) -> None:
    pid = broker.pid(BROKER)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: broker.pid(BROKER) != pid, 10, "the broker has a new process")
    said = broker.output.read_text().splitlines()[-1]
    assert (
        said == f"kafka was killed by SIGKILL and is started again; its log is {broker.data}/logs/kafka.log"
    )


def test_a_part_that_keeps_dying_ends_the_stack(broker: Stack) -> None:
    for _ in range(5):
        pid = broker.pid(BROKER)
        os.kill(pid, signal.SIGKILL)
        wait_for(partial(_replaced_or_ended, broker, pid), 15, "the next process, or the end")
    assert broker.wait() == 1
    assert "kafka died 5 times within 60 s" in broker.output.read_text().splitlines()[-1]


def test_the_parts_of_a_killed_supervisor_end_by_themselves(broker: Stack) -> None:
    pid = broker.pid(BROKER)
    broker.kill()
    wait_for(lambda: not _alive(pid), 5, "the broker has ended")
    broker.start()
    assert broker.pid(BROKER) != pid


def test_a_second_instance_on_the_same_data_is_refused(broker: Stack) -> None:
    second = Stack(broker.data, only=BROKER)
    process = second.launch()
    assert process.wait(15) == 2
    assert (
        f"Aftertouch already runs on the data directory {broker.data} (process {broker.endpoints.up})"
        in broker.output.read_text()
    )


def test_a_taken_port_names_the_part_and_the_variable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = _sentence(Stack(_made(tmp_path), {"INGEST_PORT": str(port)}))
    assert f"Port {port}, on which ingest should listen, is taken by another program" in said
    assert "INGEST_PORT" in said


def test_one_port_for_two_parts_is_refused(tmp_path: Path) -> None:
    said = _sentence(Stack(_made(tmp_path), {"INGEST_PORT": "28123", "ALERTS_PORT": "28123"}))
    assert "Port 28123 is set for both ingest and alerts: change ALERTS_PORT." in said


@pytest.mark.parametrize(
    ("env", "only", "said"),
    [
        ({"KAFKA_PORT": "many"}, "", "aftertouch: KAFKA_PORT: "),
        ({}, "broker", "aftertouch: Unknown part broker: there are kafka, clickhouse, ingest,"),
        ({"AFTERTOUCH_DATA": "/dev/null/x"}, "", "aftertouch: The data directory /dev/null/x cannot be used"),
    ],
)
def test_wrong_settings_are_one_sentence(tmp_path: Path, env: dict[str, str], only: str, said: str) -> None:
    output = _sentence(Stack(_made(tmp_path), env, only=only))
    assert output.startswith(said)
    assert len(output.splitlines()) == 1


def test_a_missing_package_is_found_among_the_declared_ones() -> None:
    declared = ["aiohttp>=3.14", "faust-streaming==0.15.3", "ruff>=0.17; extra == 'dev'"]
    assert missing_packages(declared, {"aiohttp"}.__contains__) == ["faust-streaming"]


def test_ready_says_where_everything_is(broker: Stack) -> None:
    said = broker.output.read_text()
    assert f"kafka       {broker.url(BROKER)}" in said
    assert broker.keys["server"] in said
    assert json.loads((broker.data / "endpoints.json").read_bytes())["pids"] == {BROKER: broker.pid(BROKER)}


def _made(data: Path) -> Path:
    data.mkdir(exist_ok=True)
    return data
