"""Produce 3-9 and InitProducerId 0-4: the way in.

Produce is advertised from 0, because librdkafka before 2.8 otherwise sends gzip, snappy and lz4 uncompressed
(KAFKA-18659), and refuses 0-2. Not implemented: transactions (refused), more than one batch per partition and
request (INVALID_RECORD, as in Apache Kafka), formats v0 and v1.
"""

import asyncio
from typing import Any

from kafka.protocol.producer import (
    InitProducerIdRequest,
    InitProducerIdResponse,
    ProduceRequest,
    ProduceResponse,
)

from deploy.embedded.kafka import batch
from deploy.embedded.kafka.broker import Api, Broker, Caller
from deploy.embedded.kafka.store import StorageFailure
from deploy.embedded.kafka.wire import Error

_TopicResponse = ProduceResponse.TopicProduceResponse
_PartitionResponse = _TopicResponse.PartitionProduceResponse
_OLDEST_SERVED = 3


async def produce(broker: Broker, request: Any, caller: Caller) -> Any:
    refusal = _request_refusal(request, caller.version)
    appended = [
        (
            topic.name,
            [(part.index, _append(broker, topic.name, part, refusal)) for part in topic.partition_data],
        )
        for topic in request.topic_data
    ]
    responses = [
        _TopicResponse(
            name=name, partition_responses=[await _acknowledged(broker, name, *each) for each in partitions]
        )
        for name, partitions in appended
    ]
    return ProduceResponse(responses=responses) if request.acks != 0 else None


def _request_refusal(request: Any, version: int) -> Error:
    if version < _OLDEST_SERVED:
        return Error.UNSUPPORTED_VERSION
    if request.transactional_id is not None:
        return Error.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    return Error.NONE if request.acks in (-1, 0, 1) else Error.INVALID_REQUIRED_ACKS


Appended = tuple[int, "asyncio.Future[None]"] | Error


def _append(broker: Broker, topic_name: str, part: Any, refusal: Error) -> Appended:
    """Gives the batch its offset at once, so that requests are appended in the order they came."""
    topic = broker.topics.get(topic_name)
    partition = broker.topics.partition(topic_name, part.index)
    if refusal is not Error.NONE or topic is None or partition is None:
        return refusal or Error.UNKNOWN_TOPIC_OR_PARTITION
    refusal = batch.check(part.records or b"", topic.number("max.message.bytes"))
    if refusal is not Error.NONE:
        return refusal
    header = batch.read_header(part.records)
    state = partition.producers.get(header.producer_id)
    if state is not None:
        duplicate = state.duplicate_of(header)
        if duplicate is not None:
            return duplicate.base_offset, broker.store.submit()
        refusal = state.refusal(header)
        if refusal is not Error.NONE:
            return refusal
    return partition.append(header, part.records, broker.now_ms())


async def _acknowledged(broker: Broker, topic: str, index: int, appended: Appended) -> Any:
    if isinstance(appended, Error):
        return _PartitionResponse(index=index, error_code=appended, base_offset=-1)
    base_offset, committed = appended
    try:
        await committed
    except StorageFailure:
        return _PartitionResponse(index=index, error_code=Error.KAFKA_STORAGE_ERROR, base_offset=-1)
    partition = broker.topics.partition(topic, index)
    start = partition.start if partition else -1
    return _PartitionResponse(
        index=index, error_code=Error.NONE, base_offset=base_offset, log_start_offset=start
    )


async def init_producer_id(broker: Broker, request: Any, caller: Caller) -> Any:
    if request.transactional_id is not None:
        return InitProducerIdResponse(
            error_code=Error.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, producer_epoch=-1
        )
    producer_id = next(broker.producer_ids)
    await broker.store.submit(
        ("REPLACE INTO meta (name, value) VALUES ('next_producer_id', ?)", (str(producer_id + 1),))
    )
    return InitProducerIdResponse(error_code=Error.NONE, producer_id=producer_id, producer_epoch=0)


APIS = (
    Api(ProduceRequest, 0, 9, produce),
    Api(InitProducerIdRequest, 0, 4, init_producer_id),
)
