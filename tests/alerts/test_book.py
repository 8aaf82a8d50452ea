"""Whatever is read twice, and whenever the process dies: the same alerts, and nobody is told twice for nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.alerts import Alert
from schemas.signals import Signal
from services.alerts.book import AlertBook
from services.alerts.lifecycle import KEPT, Transition
from services.alerts.notify.receivers import Receivers
from services.alerts.store import AlertStore
from tests.alerts.examples import BAD, DROP, NOW, OVER
from tests.alerts.fakes import ManualClock, MemoryJournal, MemoryTopic

EVERYBODY = Receivers("http://everybody.example", {})


class Life:
    """One process's life: its memory, and the book it writes in."""

    def __init__(self, topic: MemoryTopic, receivers: Receivers = EVERYBODY) -> None:
        self.clock, self.store = ManualClock(), AlertStore()
        self.book = AlertBook(self.store, MemoryJournal(topic), receivers, self.clock)

    async def turn(self, signal: Signal) -> Transition:
        step, acknowledged = await self.book.turn(signal)
        await acknowledged
        return step.reason

    async def tell_all(self) -> None:
        for alert in self.store.pending():
            await self.book.record(alert, "delivered")

    def alerts(self) -> set[Alert]:
        return {replace(alert, version=0, delivery="pending") for alert in self.store}


def of_partition(number: int) -> list[Signal]:
    """What one touchpoint's partition may hold: bad contacts, a drop, its end, another drop."""
    where = {"touchpoint": f"t-{number}"}
    first, second = f"drop/{number}/1", f"drop/{number}/2"
    return [
        replace(BAD, id=f"{number}-0", incident=f"bad/{number}/0", **where),
        replace(DROP, id=f"{number}-1", incident=first, **where),
        replace(BAD, id=f"{number}-2", incident=f"bad/{number}/2", **where),
        replace(OVER, id=f"{number}-3", incident=first, **where),
        replace(DROP, id=f"{number}-4", incident=second, **where),
    ]


PARTITIONS = [of_partition(0), of_partition(1)]

runs = st.lists(
    st.tuples(
        st.lists(st.sampled_from([0, 1]), max_size=12),
        st.tuples(st.integers(0, 5), st.integers(0, 5)),
        st.booleans(),
    ),
    max_size=5,
)
"""Lives: in which order partitions are read, how far back each goes at the next start, whether people are told."""


async def read_in_lives(lives: list[tuple[list[int], tuple[int, int], bool]]) -> set[Alert]:
    """Read both partitions to their ends over several lives, each of which reads some signals again."""
    topic, offsets = MemoryTopic(), [0, 0]
    ends = [0] * len(PARTITIONS[0]) + [1] * len(PARTITIONS[1])
    for order, back, tell in [*lives, (ends, (0, 0), True)]:
        life = Life(topic)
        await life.book.catch_up()
        for number in order:
            if offsets[number] < len(PARTITIONS[number]):
                await life.turn(PARTITIONS[number][offsets[number]])
                offsets[number] += 1
        if tell:
            await life.tell_all()
        offsets = [max(0, offset - again) for offset, again in zip(offsets, back, strict=True)]
    return await after_restart(topic)


async def after_restart(topic: MemoryTopic) -> set[Alert]:
    life = Life(topic)
    await life.book.catch_up()
    return life.alerts()


@given(runs)
def test_any_repetition_over_restarts_gives_the_same_alerts(
    lives: list[tuple[list[int], tuple[int, int], bool]],
) -> None:
    expected = asyncio.run(read_in_lives([]))
    assert len(expected) == 8
    assert asyncio.run(read_in_lives(lives)) == expected


async def test_after_a_restart_only_what_was_not_told_is_pending() -> None:
    topic = MemoryTopic()
    first = Life(topic)
    await first.turn(DROP)
    await first.tell_all()
    await first.turn(BAD)
    second = Life(topic)
    await second.book.catch_up()
    assert [alert.kind for alert in second.store.pending()] == ["bad_contact"]
    assert await second.turn(DROP) is Transition.REPEATED
    assert await second.turn(BAD) is Transition.REPEATED
    assert second.store.open_count == 2


async def test_an_outcome_of_an_older_state_is_not_written_down() -> None:
    life = Life(MemoryTopic())
    await life.turn(DROP)
    (firing,) = life.store.pending()
    await life.turn(OVER)
    await life.book.record(firing, "delivered")
    (alert,) = life.store
    assert (alert.state, alert.delivery, alert.version) == ("resolved", "pending", 2)


async def test_with_nobody_to_tell_an_alert_is_never_pending() -> None:
    topic = MemoryTopic()
    life = Life(topic, Receivers("", {"other": "http://other.example"}))
    await life.turn(DROP)
    assert [entry.alert.delivery for entry in topic.entries if entry.alert] == ["not_configured"]


async def test_another_process_s_changes_are_learnt_and_its_older_ones_are_not() -> None:
    topic = MemoryTopic()
    one, other = Life(topic), Life(topic)
    await one.turn(DROP)
    await other.book.catch_up()
    await other.turn(OVER)
    await one.book.catch_up()
    assert [alert.state for alert in one.store] == ["resolved"]
    assert one.store.open_count == 0


async def test_an_older_state_read_late_changes_nothing() -> None:
    life = Life(MemoryTopic())
    await life.turn(DROP)
    (firing,) = life.store
    await life.turn(OVER)
    life.store.put(firing)
    assert [alert.state for alert in life.store] == ["resolved"]


async def test_old_alerts_leave_memory_and_topic() -> None:
    topic = MemoryTopic()
    life = Life(topic)
    await life.turn(BAD)
    await life.turn(DROP)
    await life.tell_all()
    life.clock.now = NOW + KEPT
    assert await life.book.forget_old() == 0
    life.clock.now += timedelta(seconds=1)
    assert await life.book.forget_old() == 1
    assert [alert.kind for alert in life.store] == ["drop"]
    assert {alert.kind for alert in await after_restart(topic)} == {"drop"}
