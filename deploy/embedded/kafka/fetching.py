"""Fetch 4-12, ListOffsets 1-7 and DeleteRecords 0-2: the way out, and where a log begins and ends.

Fetch waits for `min_bytes` up to `max_wait_ms` and wakes as soon as an append is on disk. Not implemented: fetch
sessions (session 0 is always answered), aborted transactions (there are none: the last stable offset is the
high watermark), topic ids, leader epochs.
"""

import asyncio
from typing import Any

from deploy.embedded.kafka.batch import read_header, records
from deploy.embedded.kafka.broker import Broker, Client
from deploy.embedded.kafka.log import Partition
from deploy.embedded.kafka.wire import Answer, Error

_LATEST, _EARLIEST, _MAX_TIMESTAMP = -1, -2, -3
_FIRST_SINCE = """SELECT data FROM batches WHERE id =
    (SELECT min(id) FROM batches WHERE id >> 43 = ? AND max_timestamp >= ? AND id >= ?)"""
_NEWEST = """SELECT data FROM batches WHERE id =
    (SELECT id FROM batches WHERE id >> 43 = ? ORDER BY max_timestamp DESC, id LIMIT 1)"""


async def fetch(broker: Broker, request: Any, client: Client) -> Answer:
    if request.session_id != 0:
        return {"error_code": Error.FETCH_SESSION_ID_NOT_FOUND}
    news = asyncio.Event()
    asked = [(topic.topic, each.partition) for topic in request.topics for each in topic.partitions]
    watched = [partition for each in asked if (partition := broker.topics.partition(*each))]
    for partition in watched:
        partition.waiters.add(news)
    try:
        return await _fetched(broker, request, news)
    finally:
        for partition in watched:
            partition.waiters.discard(news)


async def _fetched(broker: Broker, request: Any, news: asyncio.Event) -> Answer:
    deadline = broker.now() + request.max_wait_ms / 1000
    while True:
        news.clear()
        answer, enough = _read(broker, request)
        if enough or broker.stopping.is_set():
            return answer
        try:
            async with asyncio.timeout_at(deadline):
                await news.wait()
        except TimeoutError:
            return answer


def _read(broker: Broker, request: Any) -> tuple[Answer, bool]:
    """One pass over the partitions asked for; the answer must go out now if it is enough or tells an error."""
    size, failed, responses = 0, False, []
    for topic in request.topics:
        partitions = []
        for asked in topic.partitions:
            room = min(asked.partition_max_bytes, request.max_bytes - size)
            partition = broker.topics.partition(topic.topic, asked.partition)
            fetched = _read_partition(partition, asked, room, nothing_yet=size == 0)
            size += len(fetched["records"])
            failed = failed or "error_code" in fetched
            partitions.append(fetched)
        responses.append({"topic": topic.topic, "partitions": partitions})
    return {"responses": responses}, failed or size >= request.min_bytes


def _read_partition(partition: Partition | None, asked: Any, room: int, nothing_yet: bool) -> Answer:
    """An answer may exceed every limit by its first batch, or a consumer would never get past that."""
    answer: Answer = {"partition_index": asked.partition, "records": b"", "aborted_transactions": None}
    if partition is None:
        return answer | {"error_code": Error.UNKNOWN_TOPIC_OR_PARTITION, "high_watermark": -1}
    end = partition.high_watermark
    answer |= {"high_watermark": end, "last_stable_offset": end, "log_start_offset": partition.start}
    if not partition.start <= asked.fetch_offset <= partition.end:
        return answer | {"error_code": Error.OFFSET_OUT_OF_RANGE}
    data = partition.read(asked.fetch_offset, room) if room > 0 or nothing_yet else b""
    return answer | {"records": data if len(data) <= room or nothing_yet else b""}


async def list_offsets(broker: Broker, request: Any, client: Client) -> Answer:
    topics = []
    for topic in request.topics:
        listed = [
            await _listed(broker.topics.partition(topic.name, each.partition_index), each)
            for each in topic.partitions
        ]
        topics.append({"name": topic.name, "partitions": listed})
    return {"topics": topics}


async def _listed(partition: Partition | None, asked: Any) -> Answer:
    answer: Answer = {"partition_index": asked.partition_index}
    if partition is None:
        return answer | {"error_code": Error.UNKNOWN_TOPIC_OR_PARTITION}
    if asked.timestamp == _LATEST:
        return answer | {"offset": partition.high_watermark}
    if asked.timestamp == _EARLIEST:
        return answer | {"offset": partition.start}
    if asked.timestamp < _MAX_TIMESTAMP:
        return answer | {"error_code": Error.INVALID_REQUEST}
    offset, timestamp = await _found(partition, asked.timestamp)
    return answer | {"offset": offset, "timestamp": timestamp}


async def _found(partition: Partition, wanted: int) -> tuple[int, int]:
    """The first record at or after a time, or the latest record of all, as offset and timestamp."""
    if wanted == _MAX_TIMESTAMP:
        found = await partition.store.scan(_NEWEST, partition.id)
        wanted = read_header(found[0][0]).max_timestamp if found else wanted
    else:
        found = await partition.store.scan(_FIRST_SINCE, partition.id, wanted, partition.row(partition.start))
    held = (record for (data,) in found for record in records(data) if record.timestamp >= wanted)
    return next(
        ((record.offset, record.timestamp) for record in held if record.offset >= partition.start), (-1, -1)
    )


async def delete_records(broker: Broker, request: Any, client: Client) -> Answer:
    topics = [
        {"name": topic.name, "partitions": [_deleted(broker, topic.name, each) for each in topic.partitions]}
        for topic in request.topics
    ]
    await broker.store.submit()
    return {"topics": topics}


def _deleted(broker: Broker, topic: str, asked: Any) -> Answer:
    answer = {"partition_index": asked.partition_index, "low_watermark": -1}
    partition = broker.topics.partition(topic, asked.partition_index)
    if partition is None:
        return answer | {"error_code": Error.UNKNOWN_TOPIC_OR_PARTITION}
    offset = partition.high_watermark if asked.offset == -1 else asked.offset
    if not 0 <= offset <= partition.high_watermark:
        return answer | {"error_code": Error.OFFSET_OUT_OF_RANGE}
    partition.advance_start(offset)
    return answer | {"low_watermark": partition.start}
