"""Replays the recorded requests through the real app on a real port."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from schemas.feedback import encode
from tests.ingest.serving import MemoryPublisher, serving

Recorded = dict[str, Any]
Door = tuple[aiohttp.ClientSession, str, MemoryPublisher]

REQUESTS: list[Recorded] = [
    json.loads(line) for line in Path(__file__).with_name("requests.jsonl").read_text().splitlines()
]
_REPEATED = re.compile(r"<<(\d+)(?::(.+?))?>>")


def body_of(request: Recorded) -> bytes | None:
    """The recorded body; <<1000>> stands for 1,000 times x, <<9:ab>> for nine times ab."""
    if "body_hex" in request:
        return bytes.fromhex(request["body_hex"])
    if "body" not in request:
        return None
    text = _REPEATED.sub(lambda m: (m[2] or "x") * int(m[1]), request["body"])
    return "\n".join([text] * request.get("repeat", 1)).encode()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def door() -> AsyncIterator[Door]:
    memory = MemoryPublisher()
    async with serving(memory) as url, aiohttp.ClientSession() as session:
        yield session, url, memory


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: r["name"])
async def test_is_answered_as_recorded(door: Door, request_: Recorded) -> None:
    session, url, memory = door
    memory.events.clear()
    async with session.request(
        request_["method"],
        URL(url + request_["path"], encoded=True),
        headers=request_["headers"],
        data=body_of(request_),
        skip_auto_headers=["content-type"],
    ) as response:
        text = await response.text()
        answer = json.loads(text)
    assert response.status == request_["status"], text
    if response.status == 202:
        check_receipt(request_, answer, memory)
    else:
        check_problem(request_, answer, response, memory)


def check_receipt(request: Recorded, answer: Recorded, memory: MemoryPublisher) -> None:
    assert answer["accepted"] == request["accepted"] == len(memory.events)
    assert refused(answer) == request.get("rejected", [])
    for expected, event in zip(request.get("published", []), memory.events, strict=False):
        message = json.loads(encode(event))
        assert {name: message.get(name) for name in expected} == expected


def check_problem(
    request: Recorded, answer: Recorded, response: aiohttp.ClientResponse, memory: MemoryPublisher
) -> None:
    assert memory.events == []
    assert response.content_type == "application/problem+json"
    assert answer["reason"] == request["reason"]
    assert answer["type"] == f"/docs/errors#{answer['reason']}"
    assert answer["status"] == response.status
    assert answer["title"]
    assert answer["detail"]
    assert refused(answer) == request.get("rejected", [])
    assert ("WWW-Authenticate" in response.headers) == (response.status == 401)
    assert response.headers.get("Allow") == ("POST" if response.status == 405 else None)


def refused(answer: Recorded) -> list[list[object]]:
    return [[item["index"], item["reason"]] for item in answer.get("rejected", [])]
