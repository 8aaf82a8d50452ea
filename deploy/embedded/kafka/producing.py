"""Produce 3-9 and InitProducerId 0-4: the way in.

Produce is advertised from 0, because librdkafka 2.0 otherwise sends gzip, snappy and lz4 uncompressed
(KAFKA-18659); 0-2 are refused. Not implemented: transactions (refused), formats v0 and v1, more than one batch
for a partition in a request (INVALID_RECORD).
"""

from typing import Any

from deploy.embedded.kafka import batch
from deploy.embedded.kafka.broker import Broker, Client
from deploy.embedded.kafka.store import Commit, StorageFailure
from deploy.embedded.kafka.wire import Answer, Error

Appended = tuple[int, Commit]


async def produce(broker: Broker, request: Any, client: Client) -> Answer | None:
    refusal = _refusal(request)
    appended = [
        (
            topic.name,
            [(each.index, _append(broker, topic.name, each, refusal)) for each in topic.partition_data],
        )
        for topic in request.topic_data
    ]
    responses = [
        {"name": name, "partition_responses": [await _acknowledged(*each) for each in partitions]}
        for name, partitions in appended
    ]
    return {"responses": responses} if request.acks != 0 else None


def _refusal(request: Any) -> Error:
    if request.version < 3:
        return Error.UNSUPPORTED_VERSION
    if request.transactional_id is not None:
        return Error.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    return Error.NONE if request.acks in (-1, 0, 1) else Error.INVALID_REQUIRED_ACKS


def _append(broker: Broker, name: str, produced: Any, refusal: Error) -> Appended | Error:
    """Gives the batch its offset before anything is awaited: batches are appended in the order they came."""
    topic, partition = broker.topics.get(name), broker.topics.partition(name, produced.index)
    if refusal is not Error.NONE or topic is None or partition is None:
        return refusal or Error.UNKNOWN_TOPIC_OR_PARTITION
    refusal = batch.refusal(produced.records or b"", topic.number("max.message.bytes"))
    if refusal is not Error.NONE:
        return refusal
    header = batch.read_header(produced.records)
    producer = partition.producers.get(header.producer_id)
    if producer is not None:
        appended_at = producer.offset_of(header)
        if appended_at is not None:
            return appended_at, broker.store.submit()
        refusal = producer.refusal(header)
    return refusal or partition.append(header, produced.records, broker.now_ms())


async def _acknowledged(index: int, appended: Appended | Error) -> Answer:
    if isinstance(appended, Error):
        return {"index": index, "error_code": appended, "base_offset": -1}
    base_offset, committed = appended
    try:
        await committed
    except StorageFailure:
        return {"index": index, "error_code": Error.KAFKA_STORAGE_ERROR, "base_offset": -1}
    return {"index": index, "base_offset": base_offset}


async def init_producer_id(broker: Broker, request: Any, client: Client) -> Answer:
    if request.transactional_id is not None:
        return {"error_code": Error.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "producer_epoch": -1}
    producer_id = next(broker.producer_ids)
    sql = "REPLACE INTO meta (name, value) VALUES ('next_producer_id', ?)"
    await broker.store.submit((sql, (str(producer_id + 1),)))
    return {"producer_id": producer_id, "producer_epoch": 0}
