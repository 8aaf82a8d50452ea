"""CreateTopics 2-6, DeleteTopics 1-5, CreatePartitions 0-3, DescribeConfigs 1-4, AlterConfigs 0-2 and
IncrementalAlterConfigs 0-1: topics exist, and are as they are, because somebody asked.

Not implemented: replica placement (assignments only give a number of partitions), topic ids, brokers' settings
(none are described or altered), synonyms and documentation of settings.
"""

from collections.abc import Callable
from typing import Any

from deploy.embedded.kafka.broker import Broker, Client
from deploy.embedded.kafka.topics import PARTITION_LIMIT, Topic, config_refusal, described_settings
from deploy.embedded.kafka.wire import Answer, Error

_TOPIC, _BROKER = 2, 4
_SET, _DELETE, _APPEND, _SUBTRACT = range(4)
Config = dict[str, str]


async def create_topics(broker: Broker, request: Any, client: Client) -> Answer:
    topics = [_created(broker, asked, request.validate_only) for asked in request.topics]
    await broker.store.submit()
    return {"topics": topics}


def _created(broker: Broker, asked: Any, validate_only: bool) -> Answer:
    count = len(asked.assignments) or (1 if asked.num_partitions == -1 else asked.num_partitions)
    topic = Topic(asked.name, _own(asked.configs), [])
    error, message = broker.topics.creation_refusal(asked.name, count), config_refusal(topic.config)
    if error is not Error.NONE or message is not None:
        error = error or Error.INVALID_CONFIG
        return {"name": asked.name, "error_code": error, "error_message": message, "configs": None}
    if not validate_only:
        broker.topics.add(topic, count)
    shape = {"num_partitions": count, "replication_factor": 1, "configs": described_settings(topic)}
    return {"name": asked.name, "error_message": None, **shape}


def _own(configs: Any) -> Config:
    return {each.name: each.value for each in configs if each.value is not None}


async def delete_topics(broker: Broker, request: Any, client: Client) -> Answer:
    responses = []
    for name in request.topic_names:
        error = broker.topics.delete(name)
        broker.groups.forget_topic(name)
        responses.append({"name": name, "error_code": error})
    await broker.store.submit()
    return {"responses": responses}


async def create_partitions(broker: Broker, request: Any, client: Client) -> Answer:
    results = []
    for asked in request.topics:
        topic, error = broker.topics.get(asked.name), Error.UNKNOWN_TOPIC_OR_PARTITION
        if topic is not None:
            more = len(topic.partitions) < asked.count <= PARTITION_LIMIT
            error = Error.NONE if more else Error.INVALID_PARTITIONS
            if more and not request.validate_only:
                broker.topics.grow(topic, asked.count)
        results.append({"name": asked.name, "error_code": error})
    await broker.store.submit()
    return {"results": results}


async def describe_configs(broker: Broker, request: Any, client: Client) -> Answer:
    return {"results": [_described(broker, asked) for asked in request.resources]}


def _described(broker: Broker, asked: Any) -> Answer:
    topic, wanted = _topic(broker, asked), asked.configuration_keys
    if topic is None:
        error = Error.NONE if asked.resource_type == _BROKER else Error.UNKNOWN_TOPIC_OR_PARTITION
        return _resource(asked, error)
    settings = [each for each in described_settings(topic) if wanted is None or each["name"] in wanted]
    return _resource(asked, Error.NONE) | {"configs": [each | {"documentation": None} for each in settings]}


def _topic(broker: Broker, asked: Any) -> Topic | None:
    return broker.topics.get(asked.resource_name) if asked.resource_type == _TOPIC else None


def _resource(asked: Any, error: Error, message: str | None = None) -> Answer:
    outcome = {"error_code": error, "error_message": message}
    return {"resource_type": asked.resource_type, "resource_name": asked.resource_name, **outcome}


async def alter_configs(broker: Broker, request: Any, client: Client) -> Answer:
    """Replaces the whole set of a topic's own settings."""
    return await _altered(broker, request, lambda topic, changes: _own(changes))


async def incremental_alter_configs(broker: Broker, request: Any, client: Client) -> Answer:
    return await _altered(broker, request, _amended)


def _amended(topic: Topic, changes: Any) -> Config:
    config = dict(topic.config)
    for each in changes:
        listed = [] if each.config_operation in (_SET, _DELETE) else topic.listed(each.name)
        named = (each.value or "").split(",")
        if each.config_operation == _DELETE:
            config.pop(each.name, None)
        elif each.config_operation == _SUBTRACT:
            config[each.name] = ",".join(item for item in listed if item not in named)
        else:
            config[each.name] = ",".join(dict.fromkeys([*listed, *named]))
    return config


async def _altered(broker: Broker, request: Any, change: Callable[[Topic, Any], Config]) -> Answer:
    responses = []
    for asked in request.resources:
        topic = _topic(broker, asked)
        if topic is None:
            responses.append(_resource(asked, Error.UNKNOWN_TOPIC_OR_PARTITION))
            continue
        config = change(topic, asked.configs)
        message = config_refusal(config)
        if not message and not request.validate_only:
            broker.topics.configure(topic, config)
        responses.append(_resource(asked, Error.INVALID_CONFIG if message else Error.NONE, message))
    await broker.store.submit()
    return {"responses": responses}
