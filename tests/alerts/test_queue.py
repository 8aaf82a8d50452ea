"""How alerts wait for their receivers: retries, order, limits, and lines that do not hold up each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from msgspec.structs import replace

from schemas.alerts import Alert
from schemas.metrics import ALERTS_DELAY_SECONDS, ALERTS_DELIVERIES
from services.alerts.lifecycle import step
from services.alerts.notify.queue import Deliveries, Limits, Line, Post
from services.alerts.notify.receivers import Receivers
from services.alerts.notify.verdict import Delivered, Retry, Verdict
from services.alerts.notify.webhook import Webhook
from services.operations.telemetry import Telemetry
from tests.alerts.examples import BAD, CONTACT, DROP, NOW, OVER, opened
from tests.alerts.fakes import ManualClock, RecordingBook
from tests.alerts.receiver import Receiver, receiver
from tests.alerts.waiting import until

QUICK, SLOW = "http://quick.example", "http://slow.example"
ALERT = opened(DROP)


class Desk:
    """Deliveries at work, with a clock that pauses move on."""

    def __init__(self, everybody: str, by_team: dict[str, str], post: Post, limits: Limits) -> None:
        self.clock, self.book, self.telemetry = ManualClock(), RecordingBook(), Telemetry("alerts")
        receivers = Receivers(everybody, by_team)
        lines = {
            url: Line(url, post, self.book, self.telemetry, self.clock.chance())
            for url in receivers.addresses()
        }
        self.deliveries = Deliveries(receivers, lines, self.book, limits)

    async def outcomes(self, count: int) -> list[tuple[str, str, str]]:
        """The outcomes, once there are `count`."""

        async def enough() -> bool:
            return len(self.book.outcomes) >= count

        await until(enough, f"{count} outcomes")
        return [(state, outcome, detail) for state, outcome, detail in self.book.outcomes]

    def counted(self, outcome: str) -> float:
        value = self.telemetry.registry.get_sample_value(ALERTS_DELIVERIES.name, {"outcome": outcome})
        return value or 0.0


@asynccontextmanager
async def working(desk: Desk) -> AsyncIterator[Desk]:
    """The desk while its lines are worked on."""
    work = asyncio.create_task(desk.deliveries.run())
    try:
        yield desk
    finally:
        work.cancel()
        await asyncio.wait([work])


@asynccontextmanager
async def delivering(told: Receiver) -> AsyncIterator[Desk]:
    """Deliveries to a real receiver that has 50 ms to answer."""
    async with aiohttp.ClientSession() as session:
        webhook = Webhook(session, b"", lambda: NOW, 0.05)
        async with working(Desk(told.url, {}, webhook.post, Limits())) as desk:
            yield desk


class Gate:
    """Receivers of which the slow one holds its answers back until the gate is open."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.open = asyncio.Event()
        self.called = asyncio.Event()
        self.told: list[tuple[str, str]] = []
        self._verdicts = list(verdicts)

    async def post(self, url: str, alert: Alert) -> Verdict:
        self.told.append((url, alert.state))
        self.called.set()
        if url == SLOW:
            await self.open.wait()
        return self._verdicts.pop(0) if self._verdicts else Delivered()


async def test_failures_are_repeated_until_it_is_delivered() -> None:
    async with receiver() as told, delivering(told) as desk:
        told.answers = [(500, {}), (0, {}), (429, {"Retry-After": "30"})]
        await desk.deliveries.offer(ALERT, CONTACT.received_at)
        assert await desk.outcomes(1) == [("firing", "delivered", "")]
        assert desk.clock.pauses == [0.5, 1.0, 30.0]
        assert [got.headers["webhook-id"] for got in told.got] == [f"{ALERT.alert_id}_firing"] * 4
        assert (desk.counted("retry"), desk.counted("delivered")) == (3, 1)
        assert desk.telemetry.registry.get_sample_value(f"{ALERTS_DELAY_SECONDS.name}_sum") == 32.5


async def test_a_receiver_that_stays_down_is_given_up_with_the_reason() -> None:
    async with receiver() as told, delivering(told) as desk:
        told.always = 503
        await desk.deliveries.offer(ALERT)
        ((state, outcome, detail),) = await desk.outcomes(1)
        assert (state, outcome) == ("firing", "dropped")
        assert detail == "gave up after 21 tries, the last: HTTP 503"
        assert 840 < sum(desk.clock.pauses) <= 900
        assert desk.counted("dropped") == 1


async def test_a_refusal_is_recorded_with_the_reason() -> None:
    async with receiver() as told, delivering(told) as desk:
        told.always = 410
        await desk.deliveries.offer(ALERT)
        assert await desk.outcomes(1) == [("firing", "dropped", "HTTP 410: the receiver refused it")]
        assert len(told.got) == 1


async def test_nobody_to_tell() -> None:
    desk = Desk("", {}, Gate().post, Limits())
    await desk.deliveries.offer(ALERT)
    assert desk.book.outcomes == [("firing", "not_configured", "")]


async def test_a_team_has_its_own_line_and_a_slow_one_holds_up_nobody_else() -> None:
    gate = Gate()
    async with working(Desk(QUICK, {"billing": SLOW}, gate.post, Limits())) as desk:
        await desk.deliveries.offer(opened(BAD))
        await desk.deliveries.offer(replace(ALERT, team=""))
        assert await desk.outcomes(1) == [("firing", "delivered", "")]
        assert sorted(gate.told) == [(QUICK, "firing"), (SLOW, "firing")]
        gate.open.set()
        await desk.outcomes(2)


async def test_states_of_an_alert_are_told_one_after_the_other() -> None:
    gate, over = Gate(), step(ALERT, OVER, NOW).alert
    assert over is not None
    async with working(Desk(SLOW, {}, gate.post, Limits())) as desk:
        await desk.deliveries.offer(ALERT)
        await gate.called.wait()
        await desk.deliveries.offer(over)
        assert gate.told == [(SLOW, "firing")]
        gate.open.set()
        assert await desk.outcomes(2) == [("firing", "delivered", ""), ("resolved", "delivered", "")]


async def test_what_is_over_before_it_could_be_told_is_told_as_over_only() -> None:
    gate, over = Gate(Retry("HTTP 500")), step(ALERT, OVER, NOW).alert
    assert over is not None
    async with working(Desk(SLOW, {}, gate.post, Limits())) as desk:
        await desk.deliveries.offer(ALERT)
        await gate.called.wait()
        await desk.deliveries.offer(over)
        gate.open.set()
        assert await desk.outcomes(1) == [("resolved", "delivered", "")]
        assert gate.told == [(SLOW, "firing"), (SLOW, "resolved")]


async def test_the_same_state_offered_again_is_told_once() -> None:
    gate = Gate()
    async with working(Desk(SLOW, {}, gate.post, Limits())) as desk:
        await desk.deliveries.offer(ALERT)
        await gate.called.wait()
        await desk.deliveries.offer(ALERT)
        gate.open.set()
        await desk.deliveries.offer(opened(BAD))
        await desk.outcomes(2)
        assert len(gate.told) == 2


async def test_only_so_many_wait_and_only_so_many_are_posted_at_once() -> None:
    gate = Gate()
    async with working(Desk(SLOW, {}, gate.post, Limits(waiting=3, at_once=2))) as desk:
        for number in range(4):
            await desk.deliveries.offer(opened(replace(BAD, incident=f"bad/{number}")))
        await gate.called.wait()
        assert len(gate.told) == 2
        assert desk.book.outcomes == [("firing", "dropped", "too many alerts wait for this receiver")]
        gate.open.set()
        await desk.outcomes(4)


async def test_a_pause_the_receiver_asks_for_holds_for_its_whole_line() -> None:
    gate, posted = Gate(Retry("HTTP 429", 120.0)), []

    async def post(url: str, alert: Alert) -> Verdict:
        posted.append((desk.clock() - NOW).total_seconds())
        return await gate.post(url, alert)

    async with working(Desk(QUICK, {}, post, Limits(at_once=1))) as desk:
        await desk.deliveries.offer(ALERT)
        await desk.deliveries.offer(opened(BAD))
        await desk.outcomes(2)
    assert len(posted) == 3
    assert posted[0] == 0
    assert min(posted[1:]) >= 120


async def test_a_post_under_way_when_the_service_stops_is_still_written_down() -> None:
    gate = Gate()
    desk = Desk(SLOW, {}, gate.post, Limits())
    work = asyncio.create_task(desk.deliveries.run())
    await desk.deliveries.offer(ALERT)
    await gate.called.wait()
    work.cancel()
    asyncio.get_running_loop().call_later(0.05, gate.open.set)
    await asyncio.wait([work])
    assert desk.book.outcomes == [("firing", "delivered", "")]


async def test_a_post_that_hangs_does_not_keep_the_service_from_stopping() -> None:
    gate = Gate()
    desk = Desk(SLOW, {}, gate.post, Limits(last_seconds=0.05))
    work = asyncio.create_task(desk.deliveries.run())
    await desk.deliveries.offer(ALERT)
    await gate.called.wait()
    work.cancel()
    await asyncio.wait_for(asyncio.wait([work]), 5)
    assert desk.book.outcomes == []


async def test_an_outcome_that_cannot_be_written_down_ends_the_work() -> None:
    class Torn(RecordingBook):
        async def record(self, spoken: Alert, outcome: str, detail: str = "") -> None:
            raise OSError("the topic is gone")

    clock = ManualClock()
    line = Line(QUICK, Gate().post, Torn(), Telemetry("alerts"), clock.chance())
    line.offer(ALERT, None, Limits())
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(line.work(Limits()), 5)
