"""Metadata 0-9, DescribeCluster 0 and FindCoordinator 0-4: one broker leads, controls and coordinates everything.

Not implemented: automatic topic creation, topic ids, authorized operations, transaction coordinators (refused).
"""

from typing import Any

from kafka.protocol.admin import DescribeClusterRequest, DescribeClusterResponse
from kafka.protocol.metadata import (
    FindCoordinatorRequest,
    FindCoordinatorResponse,
    MetadataRequest,
    MetadataResponse,
)

from deploy.embedded.kafka.broker import NODE_ID, Api, Broker, Caller
from deploy.embedded.kafka.topics import Topic, is_legal_name
from deploy.embedded.kafka.wire import Error

_DescribedTopic = MetadataResponse.MetadataResponseTopic
_DescribedPartition = _DescribedTopic.MetadataResponsePartition
_GROUP = 0
_NO_TRANSACTIONS = "this broker has no transactions: configure the client without a transactional id"


async def metadata(broker: Broker, request: Any, caller: Caller) -> Any:
    everything = request.topics is None or (caller.version == 0 and not request.topics)
    names = [topic.name for topic in broker.topics] if everything else [each.name for each in request.topics]
    return MetadataResponse(
        brokers=[
            MetadataResponse.MetadataResponseBroker(node_id=NODE_ID, host=broker.host, port=broker.port)
        ],
        cluster_id=broker.cluster_id,
        controller_id=NODE_ID,
        topics=[_described(name, broker.topics.get(name)) for name in names],
    )


def _described(name: str, topic: Topic | None) -> Any:
    if topic is None:
        error = Error.UNKNOWN_TOPIC_OR_PARTITION if is_legal_name(name) else Error.INVALID_TOPIC_EXCEPTION
        return _DescribedTopic(error_code=error, name=name, partitions=[])
    partitions = [
        _DescribedPartition(
            error_code=Error.NONE,
            partition_index=partition.index,
            leader_id=NODE_ID,
            replica_nodes=[NODE_ID],
            isr_nodes=[NODE_ID],
            offline_replicas=[],
        )
        for partition in topic.partitions
    ]
    return _DescribedTopic(error_code=Error.NONE, name=name, partitions=partitions)


async def describe_cluster(broker: Broker, request: Any, caller: Caller) -> Any:
    node = DescribeClusterResponse.DescribeClusterBroker(
        broker_id=NODE_ID, host=broker.host, port=broker.port
    )
    return DescribeClusterResponse(
        error_code=Error.NONE, cluster_id=broker.cluster_id, controller_id=NODE_ID, brokers=[node]
    )


async def find_coordinator(broker: Broker, request: Any, caller: Caller) -> Any:
    answer = _here(broker) if request.key_type == _GROUP else _refused()
    if caller.version < 4:
        return FindCoordinatorResponse(**answer)
    coordinator = FindCoordinatorResponse.Coordinator
    return FindCoordinatorResponse(
        coordinators=[coordinator(key=key, **answer) for key in request.coordinator_keys]
    )


def _here(broker: Broker) -> dict[str, Any]:
    return {
        "error_code": Error.NONE,
        "error_message": None,
        "node_id": NODE_ID,
        "host": broker.host,
        "port": broker.port,
    }


def _refused() -> dict[str, Any]:
    error = Error.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    return {"error_code": error, "error_message": _NO_TRANSACTIONS, "node_id": -1, "host": "", "port": -1}


APIS = (
    Api(MetadataRequest, 0, 9, metadata),
    Api(DescribeClusterRequest, 0, 0, describe_cluster),
    Api(FindCoordinatorRequest, 0, 4, find_coordinator),
)
