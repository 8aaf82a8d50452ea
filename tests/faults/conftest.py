"""Fixtures of the fault tests: the seed, the ledger, and what a test reports. `--seed=N` takes another seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Protocol

import pytest

from tests.faults.ledger import Ledger

SEED = 20_261_123


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when tests/faults is among pytest's arguments, as in `make faults`."""
    parser.addoption("--seed", type=int, default=SEED, help="what the fault tests draw their chances from")


@pytest.fixture
def random(request: pytest.FixtureRequest) -> Random:
    """The test's own chance; its seed is printed."""
    seed = int(request.config.getoption("--seed", default=SEED))
    request.node.user_properties.append(("seed", seed))
    print(f"\n{request.node.name}: seed {seed}")
    return Random(seed)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """What ingest acknowledged."""
    return Ledger(tmp_path / "ledger.ndjson")


class Report(Protocol):
    """Prints what a test has survived: events, faults, seconds to recover from each, and anything else."""

    def __call__(self, *, events: int, kills: int, recovered: Sequence[float], **more: object) -> None: ...


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """One line a test, and properties for `--junit-xml`, from which tests/faults/rounds.py makes its table."""

    def say(*, events: int, kills: int, recovered: Sequence[float], **more: object) -> None:
        longest = f"{max(recovered):.1f}" if recovered else "-"
        extra = "".join(f" {name}={value}" for name, value in more.items())
        print(f"{request.node.name}: events={events} kills={kills} recovered_max_s={longest}{extra}")
        told = {"events": events, "kills": kills, "recovered_s": longest, "more": extra.strip()}
        request.node.user_properties.extend(told.items())

    return say
