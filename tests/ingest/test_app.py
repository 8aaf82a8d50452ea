"""What the app says when it is not the sender's fault, and what it shows to operators."""

from __future__ import annotations

import aiohttp
import pytest

from schemas.rejections import REASONS, Reason, refuse
from services.operations.problems import STATUS, problem
from tests.ingest.serving import MemoryPublisher, serving

GOOD = {"touchpoint": "a", "metric": "csat", "score": 5}
KEY = {"Authorization": "Bearer sk_writer"}


async def test_kafka_away_is_503_with_a_time_to_come_back_and_no_longer_ready() -> None:
    memory = MemoryPublisher()
    async with serving(memory) as url, aiohttp.ClientSession(headers=KEY) as session:
        memory.trouble = "gone"
        async with session.post(f"{url}/v1/feedback", json=GOOD) as answer:
            assert (answer.status, (await answer.json(content_type=None))["reason"]) == (
                503,
                "kafka_unavailable",
            )
            assert int(answer.headers["Retry-After"]) > 0
        async with session.get(f"{url}/readyz") as answer:
            assert (answer.status, await answer.text()) == (503, "gone")
        async with session.get(f"{url}/livez") as answer:
            assert answer.status == 200
        memory.trouble = ""
        async with session.post(f"{url}/v1/feedback", json=GOOD) as answer:
            assert answer.status == 202
        async with session.get(f"{url}/readyz") as answer:
            assert answer.status == 200


async def test_a_bug_is_a_500_that_tells_nothing() -> None:
    memory = MemoryPublisher()
    memory.bug = RuntimeError("secret")
    async with serving(memory) as url, aiohttp.ClientSession(headers=KEY) as session:
        answer = await session.post(f"{url}/v1/feedback", json=GOOD)
        assert (answer.status, answer.content_type) == (500, "application/problem+json")
        assert (await answer.json(content_type=None))["reason"] == "internal_error"
        assert "secret" not in await answer.text()


async def test_answers_are_counted_by_result() -> None:
    async with serving(MemoryPublisher()) as url, aiohttp.ClientSession(headers=KEY) as session:
        await (await session.post(f"{url}/v1/feedback", json=[GOOD, GOOD, 5])).read()
        await (await session.post(f"{url}/v1/feedback", json=GOOD, headers={"Authorization": ""})).read()
        metrics = await (await session.get(f"{url}/metrics")).text()
    for line in (
        'aftertouch_ingest_events_total{result="accepted"} 2.0',
        'aftertouch_ingest_events_total{result="not_an_object"} 1.0',
        'aftertouch_ingest_events_total{result="key_missing"} 1.0',
        'aftertouch_ingest_request_seconds_count{status="202"} 1.0',
        'aftertouch_ingest_request_seconds_count{status="401"} 1.0',
    ):
        assert line in metrics.splitlines()


@pytest.mark.parametrize("reason", STATUS)
def test_every_problem_has_its_status(reason: Reason) -> None:
    answer = problem(refuse(reason))
    assert answer.status_code == STATUS[reason]
    assert REASONS[reason].encode() in answer.body
