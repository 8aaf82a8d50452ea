"""Fetch 4-12, ListOffsets 1-7 and DeleteRecords 0-2: the way out, and where the log begins.

Fetch waits for `min_bytes` up to `max_wait_ms` and wakes as soon as an append is on disk. Not implemented: fetch
sessions (session 0 is always answered), aborted transactions (there are none; the last stable offset is the high
watermark), topic ids, leader epochs (-1 everywhere).
"""

import asyncio
from typing import Any

from kafka.protocol.admin import DeleteRecordsRequest, DeleteRecordsResponse
from kafka.protocol.consumer import FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse

from deploy.embedded.kafka.batch import read_header, records
from deploy.embedded.kafka.broker import Api, Broker, Caller
from deploy.embedded.kafka.log import Partition
from deploy.embedded.kafka.wire import Error

_FetchedTopic = FetchResponse.FetchableTopicResponse
_FetchedPartition = _FetchedTopic.PartitionData
_ListedTopic = ListOffsetsResponse.ListOffsetsTopicResponse
_ListedPartition = _ListedTopic.ListOffsetsPartitionResponse
_DeletedTopic = DeleteRecordsResponse.DeleteRecordsTopicResult
_DeletedPartition = _DeletedTopic.DeleteRecordsPartitionResult
_LATEST, _EARLIEST, _MAX_TIMESTAMP = -1, -2, -3


async def fetch(broker: Broker, request: Any, caller: Caller) -> Any:
    if request.session_id != 0:
        return FetchResponse(error_code=Error.FETCH_SESSION_ID_NOT_FOUND, responses=[])
    news = asyncio.Event()
    watched = [
        partition
        for topic in request.topics
        for each in topic.partitions
        if (partition := broker.topics.partition(topic.topic, each.partition))
    ]
    for partition in watched:
        partition.waiters.add(news)
    try:
        return await _fetched(broker, request, news)
    finally:
        for partition in watched:
            partition.waiters.discard(news)


async def _fetched(broker: Broker, request: Any, news: asyncio.Event) -> Any:
    deadline = broker.now() + request.max_wait_ms / 1000
    while True:
        news.clear()
        responses, size, failed = _read(broker, request)
        if size >= request.min_bytes or failed or broker.stopping.is_set():
            break
        try:
            async with asyncio.timeout_at(deadline):
                await news.wait()
        except TimeoutError:
            break
    return FetchResponse(responses=responses)


def _read(broker: Broker, request: Any) -> tuple[list[Any], int, bool]:
    """One pass over the partitions asked for: the answer, its bytes, and whether an error must go out now."""
    size, failed, responses = 0, False, []
    for topic in request.topics:
        partitions = []
        for asked in topic.partitions:
            room = min(asked.partition_max_bytes, request.max_bytes - size)
            fetched = _read_partition(
                broker.topics.partition(topic.topic, asked.partition), asked, room, size == 0
            )
            size += len(fetched.records)
            failed |= fetched.error_code != Error.NONE
            partitions.append(fetched)
        responses.append(_FetchedTopic(topic=topic.topic, partitions=partitions))
    return responses, size, failed


def _read_partition(partition: Partition | None, asked: Any, room: int, first: bool) -> Any:
    """`first`: an answer may exceed every limit by its first batch, or a consumer would never get past it."""
    records = b""
    if partition is None:
        error = Error.UNKNOWN_TOPIC_OR_PARTITION
    elif not partition.start <= asked.fetch_offset <= partition.end:
        error = Error.OFFSET_OUT_OF_RANGE
    else:
        error = Error.NONE
        records = partition.read(asked.fetch_offset, room) if room > 0 or first else b""
        if len(records) > room and not first:
            records = b""
    return _FetchedPartition(
        partition_index=asked.partition,
        error_code=error,
        high_watermark=partition.high_watermark if partition else -1,
        last_stable_offset=partition.high_watermark if partition else -1,
        log_start_offset=partition.start if partition else -1,
        aborted_transactions=None,
        records=records,
    )


async def list_offsets(broker: Broker, request: Any, caller: Caller) -> Any:
    topics = []
    for topic in request.topics:
        listed = [
            await _listed(broker.topics.partition(topic.name, asked.partition_index), asked)
            for asked in topic.partitions
        ]
        topics.append(_ListedTopic(name=topic.name, partitions=listed))
    return ListOffsetsResponse(topics=topics)


async def _listed(partition: Partition | None, asked: Any) -> Any:
    error, offset, timestamp = Error.NONE, -1, -1
    if partition is None:
        error = Error.UNKNOWN_TOPIC_OR_PARTITION
    elif asked.timestamp == _LATEST:
        offset = partition.high_watermark
    elif asked.timestamp == _EARLIEST:
        offset = partition.start
    elif asked.timestamp == _MAX_TIMESTAMP or asked.timestamp >= 0:
        offset, timestamp = await _found_by_time(partition, asked.timestamp)
    else:
        error = Error.INVALID_REQUEST
    return _ListedPartition(
        partition_index=asked.partition_index, error_code=error, offset=offset, timestamp=timestamp
    )


async def _found_by_time(partition: Partition, timestamp: int) -> tuple[int, int]:
    """The first record at or after `timestamp` (or the latest record of all), as offset and timestamp."""
    where = "id >> 43 = ? AND id >= ? AND max_timestamp >= ?"
    order = "max_timestamp DESC, id" if timestamp == _MAX_TIMESTAMP else "id"
    found = await partition.store.scan(
        f"SELECT data FROM batches WHERE id = (SELECT id FROM batches WHERE {where} ORDER BY {order} LIMIT 1)",
        partition.id,
        partition.row(partition.start),
        max(timestamp, 0),
    )
    if not found:
        return -1, -1
    (data,) = found[0]
    wanted = read_header(data).max_timestamp if timestamp == _MAX_TIMESTAMP else timestamp
    hits = (
        (each.offset, each.timestamp)
        for each in records(data)
        if each.timestamp >= wanted and each.offset >= partition.start
    )
    return next(hits, (-1, -1))


async def delete_records(broker: Broker, request: Any, caller: Caller) -> Any:
    topics, statements = [], []
    for topic in request.topics:
        results = []
        for asked in topic.partitions:
            partition = broker.topics.partition(topic.name, asked.partition_index)
            error, low = Error.UNKNOWN_TOPIC_OR_PARTITION, -1
            if partition is not None:
                offset = partition.high_watermark if asked.offset == -1 else asked.offset
                error = Error.NONE if 0 <= offset <= partition.high_watermark else Error.OFFSET_OUT_OF_RANGE
                if error is Error.NONE:
                    statements.append(partition.advance_start(offset))
                    low = partition.start
            results.append(
                _DeletedPartition(partition_index=asked.partition_index, low_watermark=low, error_code=error)
            )
        topics.append(_DeletedTopic(name=topic.name, partitions=results))
    await broker.store.submit(*statements)
    return DeleteRecordsResponse(topics=topics)


APIS = (
    Api(FetchRequest, 4, 12, fetch),
    Api(ListOffsetsRequest, 1, 7, list_offsets),
    Api(DeleteRecordsRequest, 0, 2, delete_records),
)
