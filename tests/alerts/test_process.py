"""The real service against the embedded broker and a real receiver, killed at the worst moments."""

from __future__ import annotations

from pathlib import Path

from tests.alerts.examples import BAD, DROP, OVER
from tests.alerts.processes import alerts, broker, until
from tests.alerts.receiver import receiver


async def test_a_drop_is_told_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    async with broker(tmp_path / "kafka") as kafka, receiver() as told:
        async with alerts(kafka.bootstrap, tmp_path, webhook_url=told.url) as service:
            await until(service.ready, "ready")
            await kafka.signal(b"not json", DROP, BAD, DROP, OVER, OVER)
            await until(lambda: service.with_delivery("delivered", "delivered"), "both told")
            assert await service.terminate() == 0
        types = [got.body["type"] for got in told.got]
        assert types.count("alert.resolved") == 1
