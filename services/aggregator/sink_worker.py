"""Wires the sink worker: a Faust consumer group of its own, so that ClickHouse never holds up windows or alerts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import faust
from aiokafka import ConsumerRecord
from faust.types import TP

from schemas import metrics
from services.aggregator.admin import serve_admin
from services.aggregator.chunks import chunked_app, chunked_topic, commit
from services.aggregator.clickhouse import Inserter
from services.aggregator.exits import arm_stop_deadline, or_end
from services.aggregator.kafka import RecordWriter, committed_positions
from services.aggregator.rows import SOURCES
from services.aggregator.settings import AggregatorSettings
from services.aggregator.sink import Sink
from services.aggregator.watchdog import Heartbeat
from services.operations.telemetry import Telemetry

GROUP = "aftertouch-sink"


async def resume(app: faust.App, sink: Sink, bootstrap: str) -> None:
    """Go on from the committed positions of the partitions that are assigned now, or end the process."""
    owned = [(tp.topic, tp.partition) for tp in app.consumer.assignment()]
    with or_end("cannot find out where to go on"):
        await sink.restore(await committed_positions(bootstrap, GROUP, owned))


def observe(app: faust.App, sink: Sink, telemetry: Telemetry) -> None:
    """Show how many records of each topic are read late."""
    lags = dict.fromkeys((topic.name for topic in SOURCES), 0)
    for (topic, number), at in sink.positions().items():
        lags[topic] += max(0, (app.consumer.highwater(TP(topic, number)) or 0) - at)
    for topic, lag in lags.items():
        telemetry.level(metrics.SINK_LAG, lag, topic)


def why_not_ready(app: faust.App, sink: Sink, inserter: Inserter) -> str:
    """Why the sink is not copying, for /readyz."""
    if not sink.restored or app.rebalancing:
        return "restoring or rebalancing"
    return f"ClickHouse does not take rows: {inserter.problem}" if inserter.problem else ""


def create(settings: AggregatorSettings) -> faust.App:
    """The app of the sink worker, ready to be run."""
    app = chunked_app(GROUP, settings)
    telemetry = Telemetry("sink")
    inserter = Inserter(settings.clickhouse_url, lambda: telemetry.count(metrics.SINK_RETRIES))
    writer = RecordWriter(settings.kafka_bootstrap)
    sink = Sink(
        settings,
        inserter,
        writer,
        lambda reached: commit(app, {TP(*source): at for source, at in reached.items()}),
        telemetry,
        lambda: datetime.now(UTC),
    )
    heartbeat = Heartbeat(settings.session_timeout_seconds)

    async def copy(chunks: AsyncIterator[list[ConsumerRecord]]) -> None:
        async for chunk in chunks:
            await sink.take(chunk)

    for topic in SOURCES:
        app.agent(chunked_topic(app, topic.name), name=f"copy-{topic.name}", concurrency=1)(copy)

    @app.on_rebalance_complete.connect
    async def on_assigned(*_: Any, **__: Any) -> None:
        await writer.start()
        await resume(app, sink, settings.kafka_bootstrap)

    @app.on_partitions_revoked.connect
    async def on_revoked(*_: Any, **__: Any) -> None:
        await sink.release()

    @app.on_before_shutdown.connect
    async def on_shutdown(*_: Any, **__: Any) -> None:
        arm_stop_deadline()
        await sink.release()
        await writer.stop()
        await inserter.close()

    @app.task
    async def run() -> None:
        await asyncio.gather(sink.flush_when_due(), heartbeat.beat(partial(observe, app, sink, telemetry)))

    ready = partial(why_not_ready, app, sink, inserter)
    serve_admin(settings.host, settings.sink_port, heartbeat.live, ready, telemetry)
    return app
