"""`aftertouch replay-rejected` on the real stack: what can be read now is counted, once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from schemas.feedback import Event, encode
from schemas.rejections import DeadLetter, Reason
from schemas.topics import REJECTED
from tests.conftest import MakeStack
from tests.deploy.terminal import Run, aftertouch
from tests.e2e.test_answer_to_alert import scores
from tests.e2e.test_poison import produce
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.slow


def event(event_id: str, score: int = 5) -> bytes:
    now = datetime.now(UTC)
    return encode(
        Event(
            workspace="default",
            touchpoint="late",
            metric="csat",
            score=score,
            event_id=event_id,
            occurred_at=now,
            received_at=now,
        )
    )


async def refuse(bootstrap: str, offset: int, payload: bytes, reason: Reason) -> None:
    """A dead letter as an older version may have written it."""
    letter = DeadLetter(
        workspace="",
        reason=reason,
        detail="not known to version 0",
        src_topic="feedback.events",
        src_partition=0,
        src_offset=offset,
        rejected_at=datetime.now(UTC),
        payload=payload.decode(),
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    key = f"feedback.events/0/{offset}".encode()
    await producer.send_and_wait(REJECTED.name, msgspec.json.encode(letter), key)
    await producer.stop()


def replay(stack: Stack, *options: str) -> Run:
    return asyncio.run(aftertouch("replay-rejected", *options, env={"AFTERTOUCH_DATA": str(stack.data)}))


def counted(stack: Stack) -> int:
    return int(scores(stack, "late").get("5m", {}).get("n", 0))


def test_what_can_be_read_now_is_counted_once(make_stack: MakeStack, tmp_path: Path) -> None:
    stack, file = make_stack(), tmp_path / "refused.jsonl"
    asyncio.run(refuse(stack.url("kafka"), 900_001, event("e1"), Reason.FIELD_INVALID))
    asyncio.run(refuse(stack.url("kafka"), 900_002, event("e2"), Reason.ROW_REFUSED))
    asyncio.run(produce(stack.url("kafka"), b"default/late", [event("e3", score=9), b"{"]))
    rows = "SELECT toUInt32(count()) AS n FROM feedback.rejected FINAL"
    wait_for(lambda: stack.query(rows)[0]["n"] == 4, 15, "all dead letters are there")

    tried = replay(stack, "--dry-run", "--export", str(file))
    assert tried.code == 0, tried.err
    assert (tried.row("read"), tried.row("would be replayed"), tried.row("replayed")) == (4, 1, 0)
    assert (tried.row("still refused: score_out"), tried.row("still refused: json_invalid")) == (1, 1)
    assert tried.row("settled, not to be replayed: row_refused") == 1

    done, again = replay(stack), replay(stack)
    assert (done.row("replayed"), again.row("replayed"), again.row("replayed before")) == (1, 0, 1), done.err
    wait_for(lambda: counted(stack) == 1, 15, "the replayed answer is counted")

    file.write_text(file.read_text().replace('"score":9', '"score":4'))
    repaired = replay(stack, "--from", str(file))
    assert (repaired.code, repaired.row("replayed")) == (1, 1), repaired.out + repaired.err
    assert "1 repaired answers were not replayed" in repaired.err
    wait_for(lambda: counted(stack) == 2, 15, "the repaired answer is counted")
    once_more = replay(stack, "--from", str(file))
    assert once_more.row("replayed before") == 1
    assert counted(stack) == 2
    sql = "SELECT event_id FROM feedback.events FINAL ORDER BY event_id"
    wait_for(lambda: [r["event_id"] for r in stack.query(sql)] == ["e1", "e3"], 15, "the rows are there")


async def test_wrong_options_and_a_missing_kafka_are_one_sentence() -> None:
    reason = await aftertouch("replay-rejected", "--reason", "row_refused")
    since = await aftertouch("replay-rejected", "--since", "yesterday")
    away = await aftertouch("replay-rejected", env={"KAFKA_BOOTSTRAP": "127.0.0.1:9"})

    assert (reason.code, since.code, away.code) == (2, 2, 1)
    assert "Answers refused as 'row_refused' cannot be replayed. The reasons that can: " in reason.err
    assert "--since is not an ISO 8601 time: 'yesterday'" in since.err
    assert away.err.startswith("aftertouch: Kafka at 127.0.0.1:9 does not answer")
    assert [run.err.count("\n") for run in (reason, since, away)] == [1, 1, 1]
