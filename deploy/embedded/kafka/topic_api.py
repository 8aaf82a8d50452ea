"""CreateTopics 2-6, DeleteTopics 1-5 and CreatePartitions 0-3: topics exist because somebody asked for them.

Not implemented: replica placement (assignments only give the number of partitions), topic ids.
"""

from collections import Counter
from typing import Any

from kafka.protocol.admin import (
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreateTopicsRequest,
    CreateTopicsResponse,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
)

from deploy.embedded.kafka.broker import Api, Broker, Caller
from deploy.embedded.kafka.store import Statement
from deploy.embedded.kafka.topics import CONFIG_DEFAULTS, PARTITION_LIMIT, Topic, config_refusal
from deploy.embedded.kafka.wire import Error

_CreatedTopic = CreateTopicsResponse.CreatableTopicResult
_CreatedConfig = _CreatedTopic.CreatableTopicConfigs
_GrownTopic = CreatePartitionsResponse.CreatePartitionsTopicResult
_DYNAMIC_TOPIC_CONFIG, _DEFAULT_CONFIG = 1, 5


async def create_topics(broker: Broker, request: Any, caller: Caller) -> Any:
    statements: list[Statement] = []
    named = Counter(asked.name for asked in request.topics)
    results = [
        _refused(asked.name, Error.INVALID_REQUEST, "the request names this topic twice")
        if named[asked.name] > 1
        else _create(broker, asked, request.validate_only, statements)
        for asked in request.topics
    ]
    await broker.store.submit(*statements)
    return CreateTopicsResponse(topics=results)


def _refused(name: str, error: Error, message: str | None) -> Any:
    return _CreatedTopic(name=name, error_code=error, error_message=message, configs=None)


def _create(broker: Broker, asked: Any, validate_only: bool, statements: list[Statement]) -> Any:
    count = len(asked.assignments) or (1 if asked.num_partitions == -1 else asked.num_partitions)
    config = {each.name: each.value for each in asked.configs if each.value is not None}
    error = broker.topics.creation_refusal(asked.name, count)
    if error is not Error.NONE:
        return _refused(asked.name, error, None)
    refusal = config_refusal(config)
    if refusal is not None:
        return _refused(asked.name, Error.INVALID_CONFIG, refusal)
    if not validate_only:
        statements += broker.topics.create(asked.name, count, config)
    return _CreatedTopic(
        name=asked.name,
        error_code=Error.NONE,
        num_partitions=count,
        replication_factor=1,
        configs=[_created_config(name, config) for name in CONFIG_DEFAULTS],
    )


def _created_config(name: str, config: dict[str, str]) -> Any:
    value, source = config.get(name, CONFIG_DEFAULTS[name]), _DEFAULT_CONFIG
    if name in config:
        source = _DYNAMIC_TOPIC_CONFIG
    return _CreatedConfig(name=name, value=value, read_only=False, config_source=source, is_sensitive=False)


async def delete_topics(broker: Broker, request: Any, caller: Caller) -> Any:
    results, statements = [], []
    for name in request.topic_names:
        topic = broker.topics.get(name)
        error = Error.UNKNOWN_TOPIC_OR_PARTITION if topic is None else Error.NONE
        if topic is not None:
            statements += [*broker.topics.delete(topic), broker.groups.forget_topic(name)]
        results.append(DeleteTopicsResponse.DeletableTopicResult(name=name, error_code=error))
    await broker.store.submit(*statements)
    return DeleteTopicsResponse(responses=results)


async def create_partitions(broker: Broker, request: Any, caller: Caller) -> Any:
    results, statements = [], []
    for asked in request.topics:
        topic = broker.topics.get(asked.name)
        error = _growth_refusal(topic, asked.count)
        if topic is not None and error is Error.NONE and not request.validate_only:
            statements += broker.topics.grow(topic, asked.count)
        results.append(_GrownTopic(name=asked.name, error_code=error, error_message=None))
    await broker.store.submit(*statements)
    return CreatePartitionsResponse(results=results)


def _growth_refusal(topic: Topic | None, count: int) -> Error:
    if topic is None:
        return Error.UNKNOWN_TOPIC_OR_PARTITION
    return Error.NONE if len(topic.partitions) < count <= PARTITION_LIMIT else Error.INVALID_PARTITIONS


APIS = (
    Api(CreateTopicsRequest, 2, 6, create_topics),
    Api(DeleteTopicsRequest, 1, 5, delete_topics),
    Api(CreatePartitionsRequest, 0, 3, create_partitions),
)
