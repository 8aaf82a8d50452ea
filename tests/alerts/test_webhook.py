"""What goes over the wire to a receiver, and what its answers lead to, on a real connection."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook as Verifier

from services.alerts.notify.verdict import Delivered, Drop, Retry, Verdict
from services.alerts.notify.webhook import Webhook, body_of
from services.alerts.settings import signing_key
from tests.alerts.examples import DROP, NOW, opened
from tests.alerts.receiver import receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


ALERT = opened(DROP)


async def post(url: str, timeout: float = 5.0, key: bytes = b"", now: datetime = NOW) -> Verdict:
    async with aiohttp.ClientSession() as session:
        return await Webhook(session, key, lambda: now, timeout).post(url, ALERT)


async def test_it_is_signed_as_standard_webhooks_says() -> None:
    async with receiver() as told:
        assert await post(told.url, key=signing_key(SECRET), now=datetime.now(UTC)) == Delivered()
    (got,) = told.got
    verified = Verifier(SECRET).verify(got.raw, got.headers)
    assert verified["type"] == "alert.firing"
    assert verified["data"]["alert_id"] == ALERT.alert_id
    assert verified["data"]["delivery"] == "pending"
    assert verified["text"].startswith("CSAT at checkout dropped from 86 % to 62 %\nSince ")
    assert got.headers["webhook-id"] == f"{ALERT.alert_id}_firing"
    assert got.headers["content-type"] == "application/json"


async def test_without_a_secret_it_is_not_signed() -> None:
    async with receiver() as told:
        await post(told.url)
    assert "webhook-signature" not in told.got[0].headers


def test_customers_can_neither_mention_nor_link_in_chat() -> None:
    sly = "<!channel> @all <https://evil.example|refund>"
    body = msgspec.json.decode(body_of(replace(ALERT, message=sly), NOW))
    assert not set("<>") & set(body["text"])
    assert "@all" not in body["text"]
    assert body["data"]["message"] == sly


@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (204, {}, Delivered()),
        (429, {"Retry-After": "30"}, Retry("HTTP 429", 30.0)),
        (503, {"Retry-After": "Mon, 02 Mar 2026 12:00:05 GMT"}, Retry("HTTP 503", 5.0)),
        (500, {}, Retry("HTTP 500")),
        (410, {}, Drop("HTTP 410: the receiver refused it")),
        (
            302,
            {"Location": "/other"},
            Drop("HTTP 302: the address redirects; configure the address it leads to"),
        ),
    ],
)
async def test_answers(status: int, headers: dict[str, str], verdict: Verdict) -> None:
    async with receiver() as told:
        told.answers = [(status, headers)]
        assert await post(told.url) == verdict
        assert len(told.got) == 1


async def test_a_receiver_that_hangs_is_tried_again() -> None:
    async with receiver() as told:
        told.always = 0
        assert await post(told.url, timeout=0.05) == Retry("no answer within 0.05 s")


async def test_a_receiver_that_is_not_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert await post(f"http://127.0.0.1:{port}/") == Retry("no connection (ClientConnectorError)")
