"""What a receiver's answer means, and how long it is worth trying."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.alerts.notify.verdict import Delivered, Drop, Patience, Retry, judge, persist, seconds_asked
from tests.alerts.examples import NOW


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_delivered(status: int) -> None:
    assert judge(status, "", NOW) == Delivered()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_retried(status: int) -> None:
    assert judge(status, "7", NOW) == Retry(f"HTTP {status}", 7.0)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422])
def test_dropped(status: int) -> None:
    verdict = judge(status, "7", NOW)
    assert isinstance(verdict, Drop)
    assert verdict.reason.startswith(f"HTTP {status}: ")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("9" * 5000, 999_999_999.0),
        ("Mon, 02 Mar 2026 12:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
        ("Mon, 02 Mar 2026 12:00:30", None),
    ],
)
def test_the_wait_a_receiver_asks_for(header: str, seconds: float | None) -> None:
    assert seconds_asked(header, NOW) == seconds


@pytest.mark.parametrize(
    ("tries", "draw", "wait"),
    [(1, 0.0, 0.5), (2, 0.0, 1.0), (3, 0.0, 2.0), (3, 1.0, 1.0), (8, 0.0, 60.0), (5000, 0.5, 45.0)],
)
def test_waits_double_up_to_a_minute_and_are_spread_by_chance(tries: int, draw: float, wait: float) -> None:
    assert persist(Retry("HTTP 500"), tries, timedelta(0), draw, Patience()) == Retry("HTTP 500", wait)


def test_a_wait_that_was_asked_for_is_kept() -> None:
    assert persist(Retry("HTTP 429", 200.0), 1, timedelta(0), 1.0, Patience()) == Retry("HTTP 429", 200.0)


@pytest.mark.parametrize(
    ("retry", "tries", "waited", "reason"),
    [
        (Retry("HTTP 500"), 20, timedelta(seconds=880), "gave up after 20 tries, the last: HTTP 500"),
        (Retry("HTTP 429", 901.0), 1, timedelta(0), "gave up after 1 try, the last: HTTP 429"),
    ],
)
def test_it_gives_up_after_a_quarter_of_an_hour(
    retry: Retry, tries: int, waited: timedelta, reason: str
) -> None:
    assert persist(retry, tries, waited, 0.0, Patience()) == Drop(reason)
