"""Answers of named customers as the windows worker writes them, and what must come of them, by definition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from schemas.customers import CustomerAnswer
from schemas.feedback import LATE_LIMIT
from schemas.scoring import SCALES, is_bad, is_good
from schemas.signals import Contact, Signal

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WITHIN = timedelta(days=30)


def customer_answer(
    number: int, score: int, after: timedelta = timedelta(), late: timedelta = timedelta(), **changes: Any
) -> CustomerAnswer:
    """A CSAT answer of customer c1 that occurred `after` NOW and arrived `late`; `number` gives id and place."""
    where = {name: changes.pop(name) for name in ("touchpoint", "metric", "src_partition") if name in changes}
    contact = Contact(
        event_id=f"e{number}",
        score=score,
        occurred_at=NOW + after,
        received_at=NOW + after + late,
        **({"customer_id": "c1"} | changes),
    )
    fields: dict[str, Any] = {"touchpoint": "chat", "metric": "csat", "src_partition": 0} | where
    return CustomerAnswer(workspace="default", contact=contact, src_offset=number, **fields)


def random_answers(random: Random, length: int, days: float = 90) -> list[CustomerAnswer]:
    """Answers of a few customers at three touchpoints of three source partitions: on time, late, changed."""
    answers: list[CustomerAnswer] = []
    after = timedelta()
    for number in range(length):
        after += timedelta(days=random.expovariate(length / days))
        late = timedelta(days=random.choice([0, 0, 0, 0.01, 1, 6.9]) * random.random())
        source = random.randrange(3)
        metric = random.choice(["csat", "nps"])
        scale = SCALES[metric]  # type: ignore[index]
        answers.append(
            customer_answer(
                number,
                random.randint(scale.lowest, scale.highest),
                after - late,
                late,
                metric=metric,
                touchpoint=f"t{source}",
                src_partition=source,
                customer_id=f"c{random.randrange(max(1, length // 8))}",
                interaction_id=random.choice(["", "", f"i{random.randrange(4)}"]),
            )
        )
    return answers


def with_repeats(random: Random, answers: Sequence[CustomerAnswer]) -> list[CustomerAnswer]:
    """The same as a windows worker writes them that crashes: from some place on again, source by source."""
    log: list[CustomerAnswer] = []
    for answer in answers:
        log.append(answer)
        if random.random() < 0.1:
            source = [one for one in log if one.src_partition == answer.src_partition]
            first = random.choice(source[-5:]).src_offset
            again = [one for one in source if one.src_offset >= first]
            log += sorted({one.src_offset: one for one in again}.values(), key=lambda one: one.src_offset)
    return log


class Said(NamedTuple):
    """What matters of a signal, by event ids."""

    kind: str
    event_id: str
    history: tuple[str, ...]
    took_seconds: float


def said(signal: Signal) -> Said:
    """A signal, to be compared with what must come."""
    history = tuple(past.event_id for past in signal.history)
    return Said(signal.kind, signal.contact.event_id, history, signal.took_seconds)


def expected(answers: Sequence[CustomerAnswer]) -> list[Said]:
    """By definition, each answer compared with all before it. It holds as long as nobody has over ten bad contacts."""
    found = []
    for at, answer in enumerate(answers):
        clock = max(one.contact.received_at for one in answers[: at + 1])
        earlier = [
            place
            for place in range(at)
            if _customer(answers[place]) == _customer(answer) and _bad(answers[place])
        ]
        kept = [
            place
            for place in earlier
            if answers[place].contact.occurred_at >= clock - WITHIN - LATE_LIMIT
            and not any(_same(answers[place], one) for one in answers[place + 1 : at])
        ]
        others = [place for place in kept if not _same(answers[place], answer)]
        if _bad(answer) and len(others) == len(kept):
            near = [p for p in others if abs(_gap(answers[p], answer)) <= WITHIN]
            if near:
                found.append(Said("repeat_bad_contact", answer.contact.event_id, _ids(answers, near), 0.0))
        if is_good(answer.metric, answer.contact.score):
            ended = [p for p in others if _ends(answers[p], answer)]
            ended = [
                p
                for p in ended
                if not any(
                    _good(one) and _customer(one) == _customer(answer) and _ends(answers[p], one)
                    for one in answers[p + 1 : at]
                )
            ]
            if ended:
                took = max(_gap(answers[p], answer) for p in ended).total_seconds()
                found.append(Said("recovered", answer.contact.event_id, _ids(answers, ended), took))
    return found


def _customer(answer: CustomerAnswer) -> str:
    return answer.contact.customer_id


def _bad(answer: CustomerAnswer) -> bool:
    return is_bad(answer.metric, answer.contact.score)


def _good(answer: CustomerAnswer) -> bool:
    return is_good(answer.metric, answer.contact.score)


def _gap(before: CustomerAnswer, after: CustomerAnswer) -> timedelta:
    return after.contact.occurred_at - before.contact.occurred_at


def _ends(bad: CustomerAnswer, good: CustomerAnswer) -> bool:
    return timedelta() <= _gap(bad, good) <= WITHIN


def _same(one: CustomerAnswer, other: CustomerAnswer) -> bool:
    """Whether both are answers of a customer to one question of one interaction."""
    return bool(one.contact.interaction_id) and _question(one) == _question(other)


def _question(answer: CustomerAnswer) -> tuple[str, ...]:
    return (_customer(answer), answer.touchpoint, answer.metric, answer.contact.interaction_id)


def _ids(answers: Sequence[CustomerAnswer], places: list[int]) -> tuple[str, ...]:
    """In order of event time."""
    ordered = sorted(places, key=lambda place: answers[place].contact.occurred_at)
    return tuple(answers[place].contact.event_id for place in ordered)
