"""DescribeConfigs 1-4, AlterConfigs 0-2 and IncrementalAlterConfigs 0-1: topics' settings, seen and changed.

Not implemented: brokers' settings (described as none, not alterable), synonyms, documentation.
"""

from typing import Any

from kafka.protocol.admin import (
    AlterConfigsRequest,
    AlterConfigsResponse,
    DescribeConfigsRequest,
    DescribeConfigsResponse,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
)

from deploy.embedded.kafka.broker import Api, Broker, Caller
from deploy.embedded.kafka.topics import CONFIG_DEFAULTS, Topic, config_refusal
from deploy.embedded.kafka.wire import Error

_Described = DescribeConfigsResponse.DescribeConfigsResult
_DescribedConfig = _Described.DescribeConfigsResourceResult
_TOPIC, _BROKER = 2, 4
_DYNAMIC_TOPIC_CONFIG, _DEFAULT_CONFIG = 1, 5
_SET, _DELETE, _APPEND, _SUBTRACT = range(4)


async def describe_configs(broker: Broker, request: Any, caller: Caller) -> Any:
    return DescribeConfigsResponse(results=[_described(broker, resource) for resource in request.resources])


def _described(broker: Broker, resource: Any) -> Any:
    topic = broker.topics.get(resource.resource_name) if resource.resource_type == _TOPIC else None
    error = Error.NONE if topic or resource.resource_type == _BROKER else Error.UNKNOWN_TOPIC_OR_PARTITION
    wanted = resource.configuration_keys
    names = [name for name in CONFIG_DEFAULTS if topic and (wanted is None or name in wanted)]
    return _Described(
        error_code=error,
        error_message=None,
        resource_type=resource.resource_type,
        resource_name=resource.resource_name,
        configs=[_setting(topic, name) for name in names if topic],
    )


def _setting(topic: Topic, name: str) -> Any:
    source = _DYNAMIC_TOPIC_CONFIG if name in topic.config else _DEFAULT_CONFIG
    return _DescribedConfig(
        name=name,
        value=topic.setting(name),
        read_only=False,
        config_source=source,
        is_sensitive=False,
        synonyms=[],
        documentation=None,
    )


async def alter_configs(broker: Broker, request: Any, caller: Caller) -> Any:
    """Replaces the whole set of a topic's own settings."""
    return await _altered(broker, request, AlterConfigsResponse, _replaced)


async def incremental_alter_configs(broker: Broker, request: Any, caller: Caller) -> Any:
    return await _altered(broker, request, IncrementalAlterConfigsResponse, _amended)


def _replaced(topic: Topic, changes: Any) -> dict[str, str]:
    return {each.name: each.value for each in changes if each.value is not None}


def _amended(topic: Topic, changes: Any) -> dict[str, str]:
    config = dict(topic.config)
    for each in changes:
        listed = [
            item for item in config.get(each.name, CONFIG_DEFAULTS.get(each.name, "")).split(",") if item
        ]
        if each.config_operation == _SET:
            config[each.name] = each.value
        elif each.config_operation == _DELETE:
            config.pop(each.name, None)
        elif each.config_operation == _APPEND:
            config[each.name] = ",".join(dict.fromkeys([*listed, *each.value.split(",")]))
        elif each.config_operation == _SUBTRACT:
            config[each.name] = ",".join(item for item in listed if item not in each.value.split(","))
    return config


async def _altered(broker: Broker, request: Any, response: Any, change: Any) -> Any:
    results, statements = [], []
    for resource in request.resources:
        topic = broker.topics.get(resource.resource_name) if resource.resource_type == _TOPIC else None
        error, message = Error.UNKNOWN_TOPIC_OR_PARTITION, None
        if topic is not None:
            config = change(topic, resource.configs)
            message = config_refusal(config)
            error = Error.NONE if message is None else Error.INVALID_CONFIG
            if error is Error.NONE and not request.validate_only:
                topic.config = config
                statements.append(broker.topics.save_config(topic))
        results.append(
            response.AlterConfigsResourceResponse(
                error_code=error,
                error_message=message,
                resource_type=resource.resource_type,
                resource_name=resource.resource_name,
            )
        )
    await broker.store.submit(*statements)
    return response(responses=results)


APIS = (
    Api(DescribeConfigsRequest, 1, 4, describe_configs),
    Api(AlterConfigsRequest, 0, 2, alter_configs),
    Api(IncrementalAlterConfigsRequest, 0, 1, incremental_alter_configs),
)
