"""Reads the options of `aftertouch replay-rejected`, and says in one sentence what is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ValidationError

from deploy.doctor import addresses
from deploy.replay.letters import REPLAYABLE
from deploy.up.failure import CANNOT_START, Failure
from deploy.up.settings import UpSettings
from schemas.rejections import Reason


def reason_of(word: str) -> Reason | None:
    """What --reason means. Raises Failure."""
    if not word:
        return None
    if word not in REPLAYABLE:
        raise Failure(
            f"Answers refused as '{word}' cannot be replayed. The reasons that can: "
            f"{', '.join(sorted(REPLAYABLE))}.",
            CANNOT_START,
        )
    return Reason(word)


def since_of(text: str) -> datetime | None:
    """What --since means; a time without a zone is UTC. Raises Failure."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(
            f"--since is not an ISO 8601 time: '{text}'. It looks like 2026-03-01 or 2026-03-01T12:00Z.",
            CANNOT_START,
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def kafka_address() -> str:
    """KAFKA_BOOTSTRAP, or where the Kafka of a running `aftertouch up` is. Raises Failure."""
    try:
        return addresses(UpSettings())["kafka"]
    except ValidationError as error:
        wrong = error.errors()[0]
        raise Failure(f"{str(wrong['loc'][0]).upper()}: {wrong['msg']}", CANNOT_START) from None
