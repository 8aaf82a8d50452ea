"""The real service against the embedded broker and a real receiver, killed at the worst moments."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from msgspec import json
from msgspec.structs import replace

from schemas.alerts import Alert
from schemas.topics import ALERTS
from services.alerts.clients import GROUP
from tests.alerts.examples import BAD, CONTACT, DROP, OVER
from tests.alerts.processes import Alerts, Broker, alerts, broker
from tests.alerts.receiver import Got, receiver
from tests.alerts.waiting import until


async def states_on_topic(kafka: Broker) -> list[tuple[str, str, int]]:
    """Every message of feedback.alerts: state, delivery, version."""
    partition = TopicPartition(ALERTS.name, 0)
    async with reader(kafka) as consumer:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[Alert] = []
        while await consumer.position(partition) < end:
            records = await consumer.getmany(partition, timeout_ms=100)
            found += [json.decode(r.value, type=Alert) for r in records.get(partition, [])]
    return [(alert.state, alert.delivery, alert.version) for alert in found]


@asynccontextmanager
async def reader(kafka: Broker) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def administering(kafka: Broker) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def committed(kafka: Broker, signals: int) -> bool:
    """Whether the group has done with so many signals."""
    async with administering(kafka) as admin:
        offsets = await admin.list_consumer_group_offsets(GROUP)
    return sum([max(0, int(at.offset)) for at in offsets.values()]) == signals


async def members(kafka: Broker) -> int:
    """How many processes are in the group."""
    async with administering(kafka) as admin:
        described = await admin.describe_consumer_groups([GROUP])
    return sum(len(group[5]) for answer in described for group in answer.groups)


async def sample(service: Alerts, name: str) -> float:
    text = (await service.get("/metrics"))[1]
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_the_life_of_a_drop(tmp_path: Path) -> None:
    async with (
        broker(tmp_path / "kafka") as kafka,
        receiver() as told,
        alerts(kafka.bootstrap, tmp_path, webhook_url=told.url + "/all") as service,
    ):
        await until(service.ready, "ready")
        await kafka.signal(b"not json", DROP, DROP)
        await until(lambda: service.with_delivery("delivered"), "the drop is told")
        await kafka.signal(OVER, OVER)
        await until(lambda: settled(service, "resolved"), "its end is told")
        assert [got.body["type"] for got in told.got] == ["alert.firing", "alert.resolved"]
        assert await states_on_topic(kafka) == [
            ("firing", "pending", 1),
            ("firing", "delivered", 2),
            ("resolved", "pending", 3),
            ("resolved", "delivered", 4),
        ]
        await until(lambda: committed(kafka, 5), "all signals are done with")
        for result, times in [("opened", 1), ("repeated", 2), ("resolved", 1), ("unreadable", 1)]:
            assert await sample(service, f'aftertouch_alerts_signals_total{{result="{result}"}}') == times
        assert await sample(service, "aftertouch_alerts_open") == 0
        assert await sample(service, "aftertouch_alerts_answer_to_delivery_seconds_count") == 2
        assert await members(kafka) == 1
        assert await asyncio.wait_for(service.terminate(), 5) == 0
        assert await members(kafka) == 0


async def settled(service: Alerts, state: str) -> bool:
    return [(a["state"], a["delivery"]) for a in await service.alerts()] == [(state, "delivered")]


async def test_killed_between_alert_and_delivery_it_delivers_after_the_restart(tmp_path: Path) -> None:
    async with broker(tmp_path / "kafka") as kafka, receiver() as told:
        told.always = 0
        async with alerts(kafka.bootstrap, tmp_path, webhook_url=told.url) as first:
            await kafka.signal(DROP)
            await until(lambda: first.with_delivery("pending"), "the alert is listed, though nobody is told")
            await until(lambda: asked(told.got), "the receiver is asked")
            first.kill()
        told.always = 200
        async with alerts(kafka.bootstrap, tmp_path, webhook_url=told.url) as second:
            await until(lambda: second.with_delivery("delivered"), "the alert is told after the restart")
        assert [got.body["type"] for got in told.got] == ["alert.firing", "alert.firing"]
        assert len({got.headers["webhook-id"] for got in told.got}) == 1


async def asked(got: list[Got]) -> bool:
    return bool(got)


@pytest.mark.slow
async def test_killed_after_delivery_it_tells_nobody_twice(tmp_path: Path) -> None:
    async with broker(tmp_path / "kafka") as kafka, receiver() as told:
        async with alerts(kafka.bootstrap, tmp_path, webhook_url=told.url) as first:
            await kafka.signal(DROP)
            await until(lambda: first.with_delivery("delivered"), "the drop is told")
            first.kill()
        async with alerts(kafka.bootstrap, tmp_path, webhook_url=told.url) as second:
            await kafka.signal(DROP, OVER)
            await until(lambda: settled(second, "resolved"), "its end is told")
        assert [got.body["type"] for got in told.got] == ["alert.firing", "alert.resolved"]


async def test_a_hanging_receiver_holds_up_neither_signals_nor_other_teams(tmp_path: Path) -> None:
    async with broker(tmp_path / "kafka") as kafka, receiver() as hangs, receiver() as answers:
        hangs.always = 0
        urls = {"webhook_url": answers.url, "team_webhooks": json.encode({"billing": hangs.url}).decode()}
        async with alerts(kafka.bootstrap, tmp_path, **urls) as service:
            many = [replace(BAD, incident=f"bad/{number}") for number in range(30)]
            await kafka.signal(*many, replace(BAD, incident="o", contact=replace(CONTACT, team="other")))
            await until(lambda: listed(service, "?team=billing", 30), "all are listed")
            await until(lambda: asked(answers.got), "the other team is told")
            assert {alert["delivery"] for alert in await service.alerts("?team=billing")} == {"pending"}
            assert len(hangs.got) <= 8
            await until(lambda: committed(kafka, 31), "all signals are done with")
            assert await asyncio.wait_for(service.terminate(), 5) == 0


async def listed(service: Alerts, query: str, count: int) -> bool:
    return len(await service.alerts(query)) == count


async def test_it_waits_for_kafka_without_being_ready(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"
    async with alerts(nowhere, tmp_path) as service:
        assert await service.get("/readyz") == (503, "waiting for Kafka")
        assert await service.get("/livez") == (200, "ok")
        assert await asyncio.wait_for(service.terminate(), 5) == 0
        said = service.log.read_text()
    assert "Kafka not ready, will be tried again" in said
