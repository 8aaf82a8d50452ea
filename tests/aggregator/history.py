"""Random but plausible streams of answers, and what must come of them, counted the plain way."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

from msgspec.structs import replace

from schemas.feedback import Event, encode
from schemas.scores import MINUTES_KEPT_SECONDS
from schemas.scoring import METRICS, SCALES

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

PaneName = tuple[str, str, str, int]
"""Resolution, touchpoint, metric, start."""


def stream(seed: int, length: int, days: float = 3.0) -> list[bytes]:
    """Messages of one source partition: on time, late, imported, repeated, changed, replaced, and undecodable ones."""
    random = Random(seed)
    messages: list[bytes] = []
    recent: list[Event] = []
    received = START
    while len(messages) < length:
        received += timedelta(seconds=random.expovariate(length / (days * 86_400)))
        recent = [event for event in recent if received - event.received_at < timedelta(hours=23)]
        dice = random.random()
        if dice < 0.02:
            messages.append(random.choice([b"", b"{", b"null", b'{"score": 3}', b"\xff\xfe"]))
        elif dice < 0.12 and recent:
            messages.append(encode(random.choice(recent)))
        elif dice < 0.14 and recent:
            messages.append(encode(changed(random.choice(recent))))
        else:
            event = answer(random, received, f"e{len(messages)}")
            if dice < 0.3 and recent:
                event = again(event, random.choice(recent))
            messages.append(encode(event))
            recent.append(event)
    return messages


def changed(event: Event) -> Event:
    """The same id with another body."""
    return replace(event, comment="something else")


def again(event: Event, earlier: Event) -> Event:
    """The answer as a later one of the same customer to the same question."""
    scale = SCALES[earlier.metric]
    score = min(max(event.score, scale.lowest), scale.highest)
    return replace(
        event,
        touchpoint=earlier.touchpoint,
        metric=earlier.metric,
        score=score,
        interaction_id=earlier.interaction_id,
    )


def answer(random: Random, received: datetime, event_id: str) -> Event:
    """One answer that arrives then, at one of four touchpoints."""
    metric = random.choice(METRICS)
    imported = random.random() < 0.1
    late = random.choice([0.0, 5.0, 3600.0, 26 * 3600.0, 6.9 * 86_400])
    if imported:
        late = random.choice([86_400.0, 10 * 86_400.0, 400 * 86_400.0])
    return Event(
        workspace="default",
        touchpoint=f"t{random.randrange(4)}",
        metric=metric,
        score=random.randint(SCALES[metric].lowest, SCALES[metric].highest),
        event_id=event_id,
        occurred_at=received - timedelta(seconds=late * random.random()),
        received_at=received,
        imported=imported,
        interaction_id=random.choice(["", f"i-{event_id}"]),
    )


def counted_once(events: list[Event]) -> list[Event]:
    """The first of each (touchpoint, event_id)."""
    first: dict[tuple[str, str], Event] = {}
    for event in events:
        first.setdefault((event.touchpoint, event.event_id), event)
    return list(first.values())


def standing(events: list[Event]) -> list[Event]:
    """Those counted once, and of each interaction and metric the last."""
    last: dict[tuple[str, ...], Event] = {}
    for event in counted_once(events):
        question = (event.touchpoint, event.metric, event.interaction_id or f"only {event.event_id}")
        last[question] = event
    return list(last.values())


def panes_of(events: list[Event]) -> dict[PaneName, Counter[int]]:
    """For each pane, how often each score was given: the brute-force truth."""
    truth: dict[PaneName, Counter[int]] = {}
    for event in standing(events):
        occurred = int(event.occurred_at.timestamp())
        age = (event.received_at - event.occurred_at).total_seconds()
        starts = {"1m": occurred // 60 * 60, "1h": occurred // 3600 * 3600}
        if age > MINUTES_KEPT_SECONDS:
            del starts["1m"]
        for resolution, start in starts.items():
            name = (resolution, event.touchpoint, event.metric, start)
            truth.setdefault(name, Counter())[event.score] += 1
    return truth
