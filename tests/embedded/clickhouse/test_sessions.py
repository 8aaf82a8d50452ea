"""Sessions over a fake engine and a fake clock: who gets which handle, and for how long."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from deploy.embedded.clickhouse.engine import Engine
from deploy.embedded.clickhouse.errors import ClickHouseError
from deploy.embedded.clickhouse.sessions import Sessions, Visit


class Handle:
    def __init__(self) -> None:
        self.cleansed = 0
        self.closed = False

    def cleanse(self) -> None:
        self.cleansed += 1

    def close(self) -> None:
        self.closed = True


class Handles:
    def open(self) -> Handle:
        return Handle()

    @contextmanager
    def handle(self) -> Iterator[Handle]:
        fresh = self.open()
        yield fresh
        fresh.close()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(cast(Engine, Handles()), clock)


def visit(sessions: Sessions, **asked: Any) -> Any:
    with sessions.handle(Visit("s", **asked)) as handle:
        return handle


def test_nothing_is_kept_before_a_statement_makes_state(sessions: Sessions) -> None:
    assert visit(sessions) is not visit(sessions)
    held = visit(sessions, makes_state=True)
    assert visit(sessions) is held
    assert not held.closed


def test_a_session_ends_when_it_was_idle_too_long(sessions: Sessions, clock: Clock) -> None:
    held = visit(sessions, makes_state=True, timeout=10)
    clock.now = 9
    assert visit(sessions, timeout=10) is held
    clock.now = 18
    assert visit(sessions, timeout=10) is held
    clock.now = 29
    assert visit(sessions) is not held
    assert held.closed


def test_one_at_a_time(sessions: Sessions) -> None:
    with sessions.handle(Visit("s")), pytest.raises(ClickHouseError) as caught:
        visit(sessions)
    assert caught.value.code == 373
    visit(sessions)


def test_a_session_that_must_exist(sessions: Sessions) -> None:
    with pytest.raises(ClickHouseError) as caught:
        visit(sessions, must_exist=True)
    assert caught.value.code == 372


def test_a_kept_handle_is_cleansed_after_an_error(sessions: Sessions) -> None:
    held = visit(sessions, makes_state=True)
    with pytest.raises(ClickHouseError), sessions.handle(Visit("s")):
        raise ClickHouseError(395, "late")
    assert held.cleansed == 1
    assert visit(sessions) is held
