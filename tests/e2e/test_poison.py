"""Messages on feedback.events that are no answers: kept with a reason, and the stream goes on."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer

from schemas.topics import EVENTS
from tests.e2e.test_answer_to_alert import scores, touchpoint
from tests.stack import Stack, wait_for

POISON = [b"", b"{", b"null", b"[]", b'{"workspace":"default"}', b"\xff\xfe\x00", b"x" * 200_000, None]


async def produce(bootstrap: str, key: bytes, values: list[bytes | None]) -> None:
    """Write straight to the topic, past ingest."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=1 << 21)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(EVENTS.name, value, key)
    finally:
        await producer.stop()


def test_poison_is_kept_with_a_reason_and_stops_nothing(stack: Stack) -> None:
    odd = touchpoint("odd")
    one = {"touchpoint": odd, "metric": "csat", "score": 5}
    stack.post(one)

    asyncio.run(produce(stack.url("kafka"), f"default/{odd}".encode(), POISON))
    stack.post(one)

    wait_for(lambda: scores(stack, odd).get("5m", {}).get("n") == 2, 10, "both answers are counted")
    sql = (
        "SELECT reason, toUInt32(count()) AS n FROM feedback.rejected FINAL "
        "WHERE reason != 'conflicting_duplicate' GROUP BY reason"
    )
    rows = wait_for(lambda: stack.query(sql), 5, "the dead letters are in ClickHouse")
    wait_for(lambda: sum(r["n"] for r in stack.query(sql)) == len(POISON), 5, "all dead letters are there")
    assert {row["reason"] for row in rows} <= {"json_invalid", "not_an_object", "field_missing"}
