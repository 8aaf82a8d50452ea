"""Fixtures for tests that run the whole stack; `--kafka=apache` runs them on Apache Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.stack import Stack
from tests.webhook import WebhookReceiver


def pytest_addoption(parser: pytest.Parser) -> None:
    """The broker under the stack."""
    parser.addoption(
        "--kafka",
        choices=("embedded", "apache"),
        default="embedded",
        help="the Kafka under the stack: the embedded broker, or Apache Kafka from Maven Central",
    )


@pytest.fixture(scope="session")
def kafka_kind(request: pytest.FixtureRequest) -> str:
    """'embedded' or 'apache'."""
    return str(request.config.getoption("--kafka"))


@pytest.fixture(scope="session")
def session_webhook() -> Iterator[WebhookReceiver]:
    """The webhook that the shared stack's alerts go to."""
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, kafka_kind: str, session_webhook: WebhookReceiver
) -> Iterator[Stack]:
    """One stack for all tests that only use it: each takes touchpoints of its own."""
    env = {"ALERTS_WEBHOOK_URL": session_webhook.url}
    with Stack(tmp_path_factory.mktemp("stack"), env, kafka_kind) as running:
        yield running


MakeStack = Callable[..., Stack]


@pytest.fixture
def make_stack(tmp_path: Path, kafka_kind: str) -> Iterator[MakeStack]:
    """Starts stacks of a test's own, for tests that break things: make_stack(env={...}, only="kafka")."""
    with ExitStack() as running:

        def make(env: dict[str, str] | None = None, only: str = "", data: str = "data") -> Stack:
            return running.enter_context(Stack(tmp_path / data, env, kafka_kind, only))

        yield make


@pytest.fixture
def webhook() -> Iterator[WebhookReceiver]:
    """A webhook of a test's own."""
    with WebhookReceiver() as receiver:
        yield receiver
