"""Last step of ingest: writes events to feedback.events and waits until the broker has acknowledged them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.feedback import Event, encode, topic_key
from schemas.topics import EVENTS

BATCH_BYTES = 262_144
"""Most bytes of one partition in one produce request."""
RECONNECT_SECONDS = 1.0
CHECK_SECONDS = 2.0
CHECK_TIMEOUT_SECONDS = 3.0
GOODBYE_SECONDS = 0.5

_log = structlog.get_logger()


class Publisher(Protocol):
    """Where accepted events go."""

    async def publish(self, events: Sequence[Event]) -> None:
        """Return when every event is durable; raise PublishFailed if that cannot be said."""

    def not_ready(self) -> str:
        """Why nothing can be published just now; empty when it can."""


class PublishFailed(Exception):
    """Not all events are known to be durable. Sending them again with the same ids counts them once."""


class KafkaPublisher:
    """Holds one idempotent producer, and replaces it when a publication fails.

    An idempotent producer never gives up what it holds. Replacing it is how events that were answered with
    503 are let go, and how a producer that the broker no longer knows comes back to life.
    """

    def __init__(self, bootstrap: str, timeout_seconds: float) -> None:
        self._bootstrap = bootstrap
        self._timeout = timeout_seconds
        self._producer: AIOKafkaProducer | None = None
        self._failed = asyncio.Event()
        self._trouble = "not connected to Kafka yet"
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> KafkaPublisher:
        self._keeper = asyncio.create_task(self._keep_connected())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._keeper is not None
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper

    def not_ready(self) -> str:
        return self._trouble

    async def publish(self, events: Sequence[Event]) -> None:
        producer = self._producer
        if producer is None:
            raise PublishFailed(self._trouble)
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.gather(*[await _send(producer, event) for event in events])
        except (KafkaError, TimeoutError) as error:
            why = f"Kafka did not acknowledge: {type(error).__name__}"
            if producer is self._producer:
                self._trouble = why
                self._failed.set()
            raise PublishFailed(why) from error

    async def _keep_connected(self) -> None:
        while True:
            try:
                await self._connect_once()
            except (
                Exception
            ) as error:  # whatever the client library comes up with, the next one may do better
                self._trouble = f"the Kafka client failed: {type(error).__name__}"
                _log.exception("the Kafka client failed; connecting anew")
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _connect_once(self) -> None:
        """From connecting to the first publication that fails."""
        producer = await self._connect()
        self._failed.clear()
        self._producer, self._trouble = producer, ""
        _log.info("connected to Kafka", bootstrap=self._bootstrap)
        try:
            await self._watch(producer)
        finally:
            self._producer = None
            if self._failed.is_set():
                _log.warning("Kafka does not acknowledge; connecting anew", why=self._trouble)
            await _discard(producer)

    async def _connect(self) -> AIOKafkaProducer:
        while True:
            producer = self._make()
            try:
                async with asyncio.timeout(self._timeout):
                    await producer.start()
                    await producer.partitions_for(EVENTS.name)
                return producer
            except (KafkaError, TimeoutError, OSError) as error:
                self._trouble = f"cannot use topic {EVENTS.name} at {self._bootstrap}: {type(error).__name__}"
                await _discard(producer)
            except asyncio.CancelledError:
                await _discard(producer)
                raise
            _log.warning("waiting for Kafka", why=self._trouble, retry_seconds=RECONNECT_SECONDS)
            await asyncio.sleep(RECONNECT_SECONDS)

    def _make(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id="aftertouch-ingest",
            enable_idempotence=True,
            acks="all",
            linger_ms=0,  # one request is in flight per broker: what arrives meanwhile is the next batch
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=int(self._timeout * 1000),
        )

    async def _watch(self, producer: AIOKafkaProducer) -> None:
        """Keep `not_ready` true to what the broker says, until a publication fails."""
        while not self._failed.is_set():
            answers = await _answers(producer)
            if not self._failed.is_set():
                self._trouble = "" if answers else f"Kafka at {self._bootstrap} does not answer"
            with suppress(TimeoutError):
                await asyncio.wait_for(self._failed.wait(), CHECK_SECONDS)


async def _send(producer: AIOKafkaProducer, event: Event) -> Awaitable[object]:
    """Hand one event to the producer's buffer; the result is its acknowledgement."""
    acknowledgement: Awaitable[object] = await producer.send(
        EVENTS.name, encode(event), topic_key(event.workspace, event.touchpoint)
    )
    return acknowledgement


async def _answers(producer: AIOKafkaProducer) -> bool:
    try:
        return bool(await asyncio.wait_for(producer.client.force_metadata_update(), CHECK_TIMEOUT_SECONDS))
    except TimeoutError:
        return False


async def _discard(producer: AIOKafkaProducer) -> None:
    """Flush and close if the broker lets us; otherwise let go of what the producer holds.

    aiokafka's stop() waits without end for a broker that is away, so the rest is done through two of its
    internals; the version is pinned and tests/ingest/test_broker.py holds it.
    """
    stopping = asyncio.ensure_future(producer.stop())
    done, _ = await asyncio.wait([stopping], timeout=GOODBYE_SECONDS)
    if not done:
        producer._message_accumulator.fail_all(KafkaError("let go"))
        if (sender := producer._sender.sender_task) is not None:
            sender.cancel()
        await asyncio.wait([stopping], timeout=GOODBYE_SECONDS)
