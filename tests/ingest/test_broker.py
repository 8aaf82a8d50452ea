"""Ingest as a process in front of the embedded broker: what it acknowledges is there, whatever dies."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.feedback import Event, decode
from schemas.topics import EVENTS
from tests.ingest.processes import Broker, Ingest, ingesting, until

KEY = {"Authorization": "Bearer sk_writer"}


@pytest_asyncio.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path / "kafka")
    await broker.start()
    yield broker
    await broker.kill()


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers=KEY) as session:
        yield session


def answer(event_id: str, touchpoint: str = "checkout") -> dict[str, Any]:
    return {"touchpoint": touchpoint, "metric": "csat", "score": 5, "event_id": event_id}


async def post(session: aiohttp.ClientSession, ingest: Ingest, events: object) -> tuple[int, dict[str, Any]]:
    async with session.post(f"{ingest.url}/v1/feedback", json=events) as response:
        return response.status, json.loads(await response.read())


async def ready(session: aiohttp.ClientSession, ingest: Ingest, expected: int = 200) -> None:
    async def as_expected() -> bool:
        return (await session.get(f"{ingest.url}/readyz")).status == expected

    await until(as_expected)


async def stored(broker: Broker) -> list[Event]:
    """Everything on feedback.events, read by an independent consumer."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(EVENTS.name, p) for p in range(EVENTS.partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        values: list[bytes] = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                values.extend(record.value for record in records)
    finally:
        await consumer.stop()
    events = [decode(value) for value in values]
    assert all(isinstance(event, Event) for event in events)
    return [event for event in events if isinstance(event, Event)]


async def test_202_means_readable_from_the_topic(
    broker: Broker, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with ingesting(tmp_path, broker.address) as ingest:
        await ready(session, ingest)
        batch = [answer(f"e{i}", f"t{i % 7}") for i in range(500)]
        assert await post(session, ingest, batch) == (202, {"accepted": 500, "rejected": []})
        status, receipt = await post(session, ingest, [answer("last"), 7])
        assert (status, receipt["accepted"], receipt["rejected"][0]["index"]) == (202, 1, 1)
        events = await stored(broker)
        assert sorted(e.event_id for e in events) == sorted([b["event_id"] for b in batch] + ["last"])
        assert {e.workspace for e in events} == {"acme"}
        order = [e.event_id for e in events if e.touchpoint == "t3"]
        assert order == [f"e{i}" for i in range(500) if i % 7 == 3], "a touchpoint's answers keep their order"


async def test_broker_killed_and_restarted_loses_nothing_acknowledged(
    broker: Broker, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    acknowledged: set[str] = set()
    sent = 0
    async with ingesting(tmp_path, broker.address, INGEST_PUBLISH_TIMEOUT_SECONDS="2") as ingest:
        await ready(session, ingest)

        async def client(name: str, enough: asyncio.Event) -> None:
            nonlocal sent
            number = 0
            while not enough.is_set():
                number += 1
                ids = [f"{name}-{number}-{i}" for i in range(5)]
                sent += len(ids)
                status, _ = await post(session, ingest, [answer(i, f"t{name}") for i in ids])
                assert status in (202, 503)
                if status == 202:
                    acknowledged.update(ids)

        enough = asyncio.Event()
        clients = [asyncio.create_task(client(str(i), enough)) for i in range(8)]
        await at_least(acknowledged, 500)
        await broker.kill()
        started = time.monotonic()
        while (await post(session, ingest, answer("probe")))[0] == 202:
            pass
        assert time.monotonic() - started < 10
        await ready(session, ingest, expected=503)
        assert ingest.process.returncode is None
        await broker.start()
        await ready(session, ingest)
        await at_least(acknowledged, len(acknowledged) + 500)
        enough.set()
        await asyncio.gather(*clients)
        assert await ingest.stop() == 0
    there = [event.event_id for event in await stored(broker)]
    assert acknowledged <= set(there)
    assert len(set(there)) <= sent + 1
    assert len(there) == len(set(there)), "the idempotent producer writes nothing twice"


async def at_least(acknowledged: set[str], count: int) -> None:
    async def enough() -> bool:
        return len(acknowledged) >= count

    await until(enough)


async def test_kafka_away_at_start_is_waited_for(
    broker: Broker, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    await broker.kill()
    async with ingesting(tmp_path, broker.address) as ingest:
        await ready(session, ingest, expected=503)
        started = time.monotonic()
        status, problem = await post(session, ingest, answer("early"))
        assert (status, problem["reason"]) == (503, "kafka_unavailable")
        assert time.monotonic() - started < 10
        await broker.start()
        await ready(session, ingest)
        assert (await post(session, ingest, answer("late")))[0] == 202
        assert any("waiting for Kafka" in line for line in ingest.lines)
    assert [event.event_id for event in await stored(broker)] == ["late"]


async def test_sigterm_finishes_requests_in_flight(
    broker: Broker, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with ingesting(tmp_path, broker.address) as ingest:
        await ready(session, ingest)
        host, _, port = ingest.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps(answer("in-flight")).encode()
        head = "POST /v1/feedback HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_writer\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        writer.write(body[:10])
        await writer.drain()
        await post(session, ingest, answer("before"))  # by its answer, the half request has been seen
        started = time.monotonic()
        stopping = asyncio.create_task(ingest.stop())
        writer.write(body[10:])
        assert (await reader.readline()).startswith(b"HTTP/1.1 202")
        writer.close()
        assert await stopping == 0
        assert time.monotonic() - started < 5
    assert {event.event_id for event in await stored(broker)} == {"before", "in-flight"}


async def test_sigterm_with_kafka_away_ends_in_time(
    broker: Broker, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with ingesting(tmp_path, broker.address) as ingest:
        await ready(session, ingest)
        await broker.kill()
        hanging = asyncio.create_task(post(session, ingest, answer("hanging")))
        await ready(session, ingest, expected=503)
        started = time.monotonic()
        assert await ingest.stop() == 0
        assert time.monotonic() - started < 5
        result = await asyncio.gather(hanging, return_exceptions=True)
        assert not (isinstance(result[0], tuple) and result[0][0] == 202)
