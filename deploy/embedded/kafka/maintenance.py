"""Every so often: what retention and compaction no longer need leaves the disk, in chunks that let appends pass.

Not implemented: segments (age and size are judged batch by batch), shrinking the file (its free space is used
again), max.compaction.lag.ms.
"""

import logging
from itertools import takewhile
from typing import Any

from deploy.embedded.kafka.batch import records, with_records
from deploy.embedded.kafka.broker import Broker
from deploy.embedded.kafka.log import Partition
from deploy.embedded.kafka.store import OFFSET_BITS, Statement
from deploy.embedded.kafka.topics import Topic

_CHUNK_ROWS = 500
_DECODED_ROWS = 16  # batches decoded before anybody else gets a turn
_PRODUCER_EXPIRY_MS = 86_400_000
_OFFSET_MASK = (1 << OFFSET_BITS) - 1
_BYTES = "SELECT coalesce(sum(length(data)), 0), count(*) FROM batches WHERE id >= ? AND id < ?"
_HORIZON_PASSED = "SELECT 1 FROM batches WHERE id >> 43 = ? AND horizon <= ? LIMIT 1"
_log = logging.getLogger(__name__)


async def maintain(broker: Broker) -> None:
    await _purge_deleted(broker)
    for topic in list(broker.topics):
        for partition in topic.partitions:
            try:
                await _tidy(broker, topic, partition)
            except Exception:
                _log.exception("left %s-%s as it is", topic.name, partition.index)
    expired = broker.now_ms() - _PRODUCER_EXPIRY_MS
    broker.store.submit(("DELETE FROM producers WHERE seen < ?", (expired,)))
    for partition in (each for topic in broker.topics for each in topic.partitions):
        partition.producers = {
            pid: each for pid, each in partition.producers.items() if each.seen_ms >= expired
        }


async def _tidy(broker: Broker, topic: Topic, partition: Partition) -> None:
    now_ms, policies = broker.now_ms(), topic.listed("cleanup.policy")
    keep_ms, keep_bytes = topic.number("retention.ms"), topic.number("retention.bytes")
    if "compact" in policies:
        await _compact(topic, partition, now_ms)
    if "delete" not in policies:
        keep_ms = keep_bytes = -1
    ((held, _),) = await broker.store.scan(_BYTES, partition.row(0), partition.row(partition.high_watermark))
    excess = held - keep_bytes if keep_bytes >= 0 else 0
    await _trim(partition, now_ms - keep_ms if keep_ms >= 0 else -1, excess)


async def _trim(partition: Partition, expired_before_ms: int, excess: int) -> None:
    """Drops the oldest batches: those before the log start, those too old, and those that are too much."""

    def unwanted(row: tuple[int, int, int]) -> bool:
        nonlocal excess
        id_, max_timestamp, size = row
        excess -= size
        return id_ < partition.row(partition.start) or max_timestamp < expired_before_ms or excess >= 0

    sql = "SELECT id, max_timestamp, length(data) FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
    dropped: list[Any] = [()] * _CHUNK_ROWS
    while len(dropped) == _CHUNK_ROWS:
        bounds = (partition.row(0), partition.row(partition.high_watermark))
        dropped = list(takewhile(unwanted, await partition.store.scan(sql, *bounds, _CHUNK_ROWS)))
        if dropped:
            last = dropped[-1][0]
            partition.advance_start((last & _OFFSET_MASK) + 1)
            range_ = (partition.row(0), last)
            await partition.store.submit(("DELETE FROM batches WHERE id >= ? AND id <= ?", range_))


async def _compact(topic: Topic, partition: Partition, now_ms: int) -> None:
    """Keeps each key's latest record, and every record from the last batch that may be compacted on."""
    lag = topic.number("min.compaction.lag.ms")
    young = "SELECT min(id) FROM batches WHERE id >> 43 = ? AND id >= ? AND max_timestamp > ?"
    ((first_young,),) = await partition.store.scan(young, partition.id, partition.row(0), now_ms - lag)
    end = partition.row(partition.high_watermark) if not lag or first_young is None else first_young
    if not await _worthwhile(topic, partition, end, now_ms):
        return
    latest: dict[bytes, int] = {}
    newest = before_newest = 0
    at = partition.row(partition.cleaned)
    while page := await _decodable(partition, at, end):
        for id_, _, data in page:
            latest.update((each.key, each.offset) for each in records(data) if each.key is not None)
            newest, before_newest = id_, newest
        at = newest + 1
    at = partition.row(0)
    while page := await _decodable(partition, at, newest):
        keep_tombstones_ms = now_ms + topic.number("delete.retention.ms")
        statements = (_rewritten(row, latest, now_ms, keep_tombstones_ms) for row in page)
        await partition.store.submit(*(each for each in statements if each))
        at = page[-1][0] + 1
    if before_newest:
        partition.cleaned = (before_newest & _OFFSET_MASK) + 1
    partition.drop_tail()
    cleaned = (partition.cleaned, partition.id)
    await partition.store.submit(("UPDATE partitions SET cleaned = ? WHERE id = ?", cleaned))


async def _worthwhile(topic: Topic, partition: Partition, end: int, now_ms: int) -> bool:
    scan = partition.store.scan
    ((dirty, batches),) = await scan(_BYTES, partition.row(partition.cleaned), end)
    ((held, _),) = await scan(_BYTES, partition.row(0), end)
    if batches > 1 and dirty >= held * float(topic.setting("min.cleanable.dirty.ratio")):
        return True
    return bool(batches and await scan(_HORIZON_PASSED, partition.id, now_ms))


async def _decodable(partition: Partition, begin: int, end: int) -> list[Any]:
    sql = "SELECT id, horizon, data FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
    return await partition.store.scan(sql, begin, end, _DECODED_ROWS)


def _rewritten(
    row: tuple[int, int | None, bytes], latest: dict[bytes, int], now_ms: int, new_horizon: int
) -> Statement | None:
    """What compaction makes of one batch; tombstones stay until their horizon, which their first pass sets."""
    id_, horizon, data = row
    held = list(records(data))
    lapsed = horizon is not None and horizon <= now_ms
    kept = [each for each in held if each.key is None or latest.get(each.key, -1) <= each.offset]
    kept = [each for each in kept if not (each.is_tombstone and lapsed)]
    if not kept:
        return ("DELETE FROM batches WHERE id = ?", (id_,))
    if horizon is None and any(each.is_tombstone for each in kept):
        horizon = new_horizon
    elif len(kept) == len(held) and not lapsed:
        return None
    elif lapsed:
        horizon = None
    return (
        "UPDATE batches SET data = ?, horizon = ? WHERE id = ?",
        (with_records(data, kept), horizon, id_),
    )


async def _purge_deleted(broker: Broker) -> None:
    chunk = "SELECT id FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
    for (id_,) in await broker.store.scan("SELECT id FROM partitions WHERE topic = ''"):
        begin, end = id_ << OFFSET_BITS, (id_ + 1) << OFFSET_BITS
        while rows := await broker.store.scan(chunk, begin, end, _CHUNK_ROWS):
            await broker.store.submit(("DELETE FROM batches WHERE id >= ? AND id <= ?", (begin, rows[-1][0])))
        tables = ("DELETE FROM producers WHERE part = ?", "DELETE FROM partitions WHERE id = ?")
        await broker.store.submit(*((sql, (id_,)) for sql in tables))
