"""Wires the windows worker: Faust delivers chunks of feedback.events and says when partitions come and go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import faust
from aiokafka import ConsumerRecord
from faust.types import TP

from schemas import metrics
from schemas.topics import EVENTS
from services.aggregator import records
from services.aggregator.admin import serve_admin
from services.aggregator.chunks import assigned, chunked_app, chunked_topic, commit
from services.aggregator.exits import Exit, arm_stop_deadline, end_now
from services.aggregator.kafka import RecordWriter
from services.aggregator.settings import AggregatorSettings
from services.aggregator.watchdog import PARTITION_STALL_SECONDS, Heartbeat, Stalls, excuse_outages
from services.aggregator.watermark import Watermark
from services.aggregator.windows import Windows
from services.operations.telemetry import Telemetry

GROUP = "aftertouch-windows"


def observe(app: faust.App, windows: Windows, telemetry: Telemetry, stalls: Stalls) -> None:
    """Show lag and delay; end the process when a partition with unread answers makes no progress."""
    reached = windows.committed_offsets()
    lags = {n: (at, app.consumer.highwater(TP(EVENTS.name, n)) or 0) for n, at in reached.items()}
    for number, (at, end) in lags.items():
        telemetry.level(metrics.WINDOWS_LAG, max(0, end - at), str(number))
    telemetry.level(metrics.WINDOWS_WATERMARK_DELAY, windows.watermark_delay())
    telemetry.level(metrics.WINDOWS_KEYS, windows.series_count())
    if stalls.longest(lags, time.monotonic()) > PARTITION_STALL_SECONDS:
        end_now(Exit.STALLED, f"no progress for {PARTITION_STALL_SECONDS:.0f} s on unread answers")


def why_not_ready(app: faust.App, windows: Windows) -> str:
    """Why the worker is not folding, for /readyz."""
    return "" if windows.restored and not app.rebalancing else "restoring or rebalancing"


def create(settings: AggregatorSettings) -> faust.App:
    """The app of the windows worker, ready to be run."""
    app = chunked_app(GROUP, settings)
    telemetry = Telemetry("windows")
    writer = RecordWriter(settings.kafka_bootstrap)
    watermark = Watermark(
        writer,
        lambda reached: commit(app, {TP(EVENTS.name, number): at for number, at in reached.items()}),
        records,
    )
    windows = Windows(GROUP, settings, watermark, telemetry, lambda: datetime.now(UTC))
    heartbeat = Heartbeat(settings.session_timeout_seconds)
    stalls = Stalls()

    @app.agent(chunked_topic(app, EVENTS.name), concurrency=1)
    async def fold(chunks: AsyncIterator[list[ConsumerRecord]]) -> None:
        async for chunk in chunks:
            await windows.take(chunk)

    @app.on_rebalance_complete.connect
    async def on_assigned(*_: Any, **__: Any) -> None:
        await writer.start()
        await windows.restore(assigned(app, EVENTS.name))

    @app.on_partitions_revoked.connect
    async def on_revoked(*_: Any, **__: Any) -> None:
        await windows.release()

    @app.on_before_shutdown.connect
    async def on_shutdown(*_: Any, **__: Any) -> None:
        arm_stop_deadline()
        await windows.release()
        await writer.stop()

    @app.task
    async def run() -> None:
        await asyncio.gather(
            windows.tell_when_noticed(),
            windows.publish_when_due(),
            windows.flush_when_due(),
            windows.tick(),
            excuse_outages(stalls, settings.kafka_bootstrap),
            heartbeat.beat(partial(observe, app, windows, telemetry, stalls)),
        )

    ready = partial(why_not_ready, app, windows)
    serve_admin(settings.host, settings.port, heartbeat.live, ready, telemetry)
    return app
