"""The API as its readers use it, over a real connection to the real app."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec
import pytest
import uvicorn
from msgspec.structs import replace

from schemas.alerts import Alert
from services.alerts.access import by_key
from services.alerts.app import create_app
from services.alerts.listing import cursor_of
from services.alerts.store import AlertStore, Position
from services.operations.health import health_routes
from services.operations.telemetry import Telemetry
from tests.alerts.examples import BAD, CONTACT, DROP, NOW, RING, opened

READER = "sk_reader"
FIRING = opened(DROP)
CONTACTED = opened(replace(BAD, at=NOW + timedelta(seconds=1)))
OVER_AGAIN = replace(opened(replace(DROP, incident="old", at=NOW - timedelta(days=1))), state="resolved")
ELSEWHERE = opened(
    replace(BAD, incident="b", touchpoint="phone", at=NOW, contact=replace(CONTACT, team="phone"))
)
FOREIGN = opened(replace(BAD, workspace="other"))


@asynccontextmanager
async def reading(alerts: Sequence[Alert], secret: str = READER) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the app, which holds these alerts."""
    store = AlertStore()
    for alert in alerts:
        store.put(alert)
    app = create_app(store, by_key(RING), health_routes(lambda: "", lambda: "not yet", Telemetry("alerts")))
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http="httptools", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with aiohttp.ClientSession(base, headers=headers) as session:
            yield session
    finally:
        server.should_exit = True
        await running


async def get(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path) as answer:
        assert answer.status == 200
        return msgspec.json.decode(await answer.read())


async def test_lists_newest_first_what_is_asked_for() -> None:
    same_time = sorted([FIRING, ELSEWHERE], key=lambda alert: alert.alert_id, reverse=True)
    everything = [CONTACTED, *same_time, OVER_AGAIN]
    wanted: dict[str, list[Alert]] = {
        "": everything,
        "?state=firing": [CONTACTED, *same_time],
        "?state=resolved": [OVER_AGAIN],
        "?state=acknowledged": [],
        "?kind=drop": [FIRING, OVER_AGAIN],
        "?touchpoint=phone": [ELSEWHERE],
        "?team=billing&kind=bad_contact": [CONTACTED],
        "?touchpoint=nowhere": [],
    }
    async with reading([FIRING, CONTACTED, OVER_AGAIN, ELSEWHERE, FOREIGN]) as session:
        for query, alerts in wanted.items():
            page = await get(session, f"/v1/alerts{query}")
            assert [alert["alert_id"] for alert in page["alerts"]] == [alert.alert_id for alert in alerts]
            assert page["next"] is None


async def test_pages_cover_everything_once_even_while_alerts_come_in() -> None:
    alerts = [opened(replace(BAD, incident=str(n), at=NOW + timedelta(seconds=n // 3))) for n in range(25)]
    seen: list[str] = []
    async with reading(alerts) as session:
        path = "/v1/alerts?limit=10"
        sizes = []
        while True:
            page = await get(session, path)
            sizes.append(len(page["alerts"]))
            seen += [alert["alert_id"] for alert in page["alerts"]]
            if page["next"] is None:
                break
            path = f"/v1/alerts?limit=10&cursor={page['next']}"
    assert sizes == [10, 10, 5]
    newest_first = sorted(alerts, key=lambda a: (a.opened_at, a.alert_id), reverse=True)
    assert seen == [alert.alert_id for alert in newest_first]


async def test_a_full_last_page_has_no_next() -> None:
    async with reading([FIRING, CONTACTED]) as session:
        assert (await get(session, "/v1/alerts?limit=2"))["next"] is None


async def test_one_alert_with_all_its_fields() -> None:
    async with reading([FIRING]) as session:
        alert = await get(session, f"/v1/alerts/{FIRING.alert_id}")
    assert set(alert) == set(Alert.__struct_fields__)
    assert msgspec.convert(alert, Alert) == FIRING


ZONELESS = cursor_of(Position(NOW.replace(tzinfo=None), "a"))
REFUSALS = [
    ("", "/v1/alerts", 401, "key_missing"),
    ("", f"/v1/alerts/{FIRING.alert_id}", 401, "key_missing"),
    ("Basic sneaky", "/v1/alerts", 401, "key_missing"),
    ("Bearer ", "/v1/alerts", 401, "key_missing"),
    ("Bearer sk_sneaky", "/v1/alerts", 401, "key_unknown"),
    ("Bearer sk_writer", "/v1/alerts", 403, "key_forbidden"),
    ("Bearer sk_other", f"/v1/alerts/{FIRING.alert_id}", 404, "not_found"),
    ("Bearer sk_reader", "/v1/alerts/sneaky", 404, "not_found"),
    ("Bearer sk_reader", "/v1/sneaky", 404, "not_found"),
    ("Bearer sk_reader", "/docs", 404, "not_found"),
    ("Bearer sk_reader", "/v1/alerts?state=sneaky", 400, "query_invalid"),
    ("Bearer sk_reader", "/v1/alerts?sneaky=1", 400, "query_invalid"),
    ("Bearer sk_reader", "/v1/alerts?limit=0", 400, "query_invalid"),
    ("Bearer sk_reader", "/v1/alerts?limit=501", 400, "query_invalid"),
    ("Bearer sk_reader", "/v1/alerts?limit=sneaky", 400, "query_invalid"),
    ("Bearer sk_reader", "/v1/alerts?cursor=sneaky", 400, "query_invalid"),
    ("Bearer sk_reader", "/v1/alerts?cursor=%FF%00", 400, "query_invalid"),
    ("Bearer sk_reader", "/v1/alerts?cursor=bnVsbA", 400, "query_invalid"),
    ("Bearer sk_reader", f"/v1/alerts?cursor={ZONELESS}", 400, "query_invalid"),
]


async def test_refusals_say_why_and_repeat_nothing() -> None:
    async with reading([FIRING], secret="") as session:
        for key, path, status, reason in REFUSALS:
            async with session.get(path, headers={"Authorization": key} if key else {}) as answer:
                text = await answer.text()
            body = msgspec.json.decode(text)
            assert (answer.status, body["status"], body["reason"]) == (status, status, reason), path
            assert answer.content_type == "application/problem+json"
            assert ("WWW-Authenticate" in answer.headers) == (status == 401)
            assert set(body) == {"type", "title", "status", "detail", "reason"}
            assert "sneaky" not in text


async def test_other_methods_are_refused_with_those_that_are_allowed() -> None:
    async with reading([]) as session:
        for path in ("/v1/alerts", "/v1/alerts/x", "/livez"):
            async with session.post(path) as answer:
                assert (answer.status, answer.content_type) == (405, "application/problem+json")
                assert msgspec.json.decode(await answer.read())["reason"] == "method_not_allowed"
                assert "GET" in answer.headers["Allow"]


async def test_health_needs_no_key() -> None:
    async with reading([], secret="") as session:
        for path, status in {"/livez": 200, "/readyz": 503, "/metrics": 200}.items():
            async with session.get(path) as answer:
                assert answer.status == status


async def test_our_own_fault_is_a_problem_too(caplog: pytest.LogCaptureFixture) -> None:
    broken = replace(FIRING, message="\ud800")
    async with reading([broken]) as session, session.get(f"/v1/alerts/{broken.alert_id}") as answer:
        assert (answer.status, answer.content_type) == (500, "application/problem+json")
        assert msgspec.json.decode(await answer.read())["reason"] == "internal_error"
    assert "UnicodeEncodeError" in caplog.text


async def test_other_workspaces_are_not_listed() -> None:
    async with reading([FIRING, FOREIGN], "sk_other") as session:
        page = await get(session, "/v1/alerts")
    assert [alert["alert_id"] for alert in page["alerts"]] == [FOREIGN.alert_id]
