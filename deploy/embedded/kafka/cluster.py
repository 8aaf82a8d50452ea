"""Metadata 0-9, DescribeCluster 0 and FindCoordinator 0-4: one broker leads, controls, coordinates everything.

Not implemented: automatic topic creation, topic ids, authorized operations, transaction coordinators (refused).
"""

from typing import Any

from deploy.embedded.kafka.broker import NODE_ID, Broker, Client
from deploy.embedded.kafka.topics import Topic, is_legal_name
from deploy.embedded.kafka.wire import Answer, Error

_GROUP = 0
_REFUSED: Answer = {
    "error_code": Error.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    "error_message": "this broker has no transactions: configure the client without a transactional id",
    "node_id": -1,
}


async def metadata(broker: Broker, request: Any, client: Client) -> Answer:
    everything = request.topics is None or (request.version == 0 and not request.topics)
    names = [topic.name for topic in broker.topics] if everything else [each.name for each in request.topics]
    return {
        "brokers": [{"node_id": NODE_ID, "host": broker.host, "port": broker.port}],
        "cluster_id": broker.cluster_id,
        "controller_id": NODE_ID,
        "topics": [_described(name, broker.topics.get(name)) for name in names],
    }


def _described(name: str, topic: Topic | None) -> Answer:
    if topic is None:
        error = Error.UNKNOWN_TOPIC_OR_PARTITION if is_legal_name(name) else Error.INVALID_TOPIC_EXCEPTION
        return {"name": name, "error_code": error}
    here = {"leader_id": NODE_ID, "replica_nodes": [NODE_ID], "isr_nodes": [NODE_ID]}
    return {
        "name": name,
        "partitions": [{"partition_index": each.index, **here} for each in topic.partitions],
    }


async def describe_cluster(broker: Broker, request: Any, client: Client) -> Answer:
    node = {"broker_id": NODE_ID, "host": broker.host, "port": broker.port}
    return {"cluster_id": broker.cluster_id, "controller_id": NODE_ID, "brokers": [node]}


async def find_coordinator(broker: Broker, request: Any, client: Client) -> Answer:
    here = {"node_id": NODE_ID, "host": broker.host, "port": broker.port, "error_message": None}
    answer = here if request.key_type == _GROUP else _REFUSED
    if request.version < 4:
        return answer
    return {"coordinators": [{"key": key, **answer} for key in request.coordinator_keys]}
