"""Before the path begins: the three Kafka clients, opened with patience and closed in order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError
from msgspec import Struct

from schemas.topics import ALERTS, SIGNALS

log = structlog.get_logger()

GROUP = "aftertouch-alerts"
GIVE_UP_SECONDS = 30.0


class KafkaUnavailable(Exception):
    """Kafka, or a topic this service needs, was not there in time; says what was missing."""


class Clients(Struct, frozen=True):
    """`reader` restores alerts, `producer` writes them, `signals` reads signals as a member of the group."""

    reader: AIOKafkaConsumer
    producer: AIOKafkaProducer
    signals: AIOKafkaConsumer


async def connect(bootstrap: str, stack: AsyncExitStack, patience: float = GIVE_UP_SECONDS) -> Clients:
    """Start all clients, which `stack` will stop; try again every second. Raises KafkaUnavailable."""
    trouble = ""
    try:
        async with asyncio.timeout(patience):
            while True:
                try:
                    return await _connect_once(bootstrap, stack)
                except (KafkaError, KafkaUnavailable, OSError) as error:
                    trouble = in_words(error)
                    log.warning("Kafka not ready, will be tried again", bootstrap=bootstrap, error=trouble)
                await asyncio.sleep(1)
    except TimeoutError:
        raise KafkaUnavailable(
            f"Kafka at {bootstrap} was not ready within {patience:g} s: {trouble or 'it does not answer'}"
        ) from None


def in_words(error: Exception) -> str:
    """What an operator needs to know of a failed connection."""
    return "it does not answer" if isinstance(error, KafkaConnectionError) else str(error)


async def _connect_once(bootstrap: str, stack: AsyncExitStack) -> Clients:
    async with AsyncExitStack() as attempt:
        reader = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        attempt.push_async_callback(reader.stop)
        await reader.start()
        if missing := {ALERTS.name, SIGNALS.name} - set(await reader.topics()):
            raise KafkaUnavailable(
                f"topic {', '.join(sorted(missing))} is missing; run 'aftertouch provision'"
            )
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        attempt.push_async_callback(producer.stop)
        await producer.start()
        signals = _group_member(bootstrap)
        attempt.push_async_callback(signals.stop)
        await signals.start()
        stack.push_async_exit(attempt.pop_all())
        return Clients(reader, producer, signals)


def _group_member(bootstrap: str) -> AIOKafkaConsumer:
    """A short session, so that after a crash the next process waits a few seconds only for its turn."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=6_000,
        heartbeat_interval_ms=2_000,
    )
