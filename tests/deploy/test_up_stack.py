"""The whole stack as the first five minutes show it: the printed lines work as pasted, and data stays."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.stack import ROOT, Stack, request, wait_for


def _pasted(stack: Stack, number: int) -> str:
    """What a printed curl line answers in a shell."""
    line = [line for line in stack.output.read_text().splitlines() if line.startswith("curl ")][number]
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    return done.stdout


def _doctor(data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", "doctor"]
    environment = os.environ | {"AFTERTOUCH_DATA": str(data)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_printed_lines_work_as_pasted(stack: Stack) -> None:
    assert _pasted(stack, 0) == '{"accepted":1,"rejected":[]}'
    wait_for(lambda: "checkout" in _pasted(stack, 1), 10, "the posted answer shows up in current_scores")


def test_every_service_answers_its_operator(stack: Stack) -> None:
    for name in ("ingest", "windows", "customers", "sink", "alerts"):
        for path in ("livez", "readyz", "metrics"):
            status, body = request("GET", f"{stack.url(name)}/{path}")
            assert status == 200, (name, path, body)


def test_the_doctor_finds_a_running_stack_well(stack: Stack) -> None:
    done = _doctor(stack.data)
    assert done.returncode == 0, done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 10


def test_the_doctor_says_what_to_do_when_nothing_runs(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(only="clickhouse")
    done = _doctor(stack.data)
    assert done.returncode == 1
    assert "BAD  ingest     no answer from " in done.stdout
    assert "start everything with `make up`" in done.stdout
    assert f"ok   clickhouse {stack.url('clickhouse')}" in done.stdout


def test_a_second_start_finds_the_data(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(only="clickhouse")
    insert = "INSERT INTO feedback.rejected (workspace, reason, rejected_at) VALUES ('default', 'malformed', now())"
    request("POST", stack.url("clickhouse"), insert.encode())
    assert stack.stop() == 0
    stack.start()
    assert stack.query("SELECT count() AS n FROM feedback.rejected") == [{"n": 1}]
