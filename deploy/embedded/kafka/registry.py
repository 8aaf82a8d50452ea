"""The table of every API served and its versions; ApiVersions answers from it, so it cannot lie.

Not implemented: ApiVersions 4 (a client that asks in a newer version is told ours, in version 0), features.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from kafka.protocol import admin, consumer, metadata, producer

from deploy.embedded.kafka import administration, cluster, fetching, group_apis, producing
from deploy.embedded.kafka.broker import Broker, Client
from deploy.embedded.kafka.wire import Answer, Error

_CODEC = vars(admin) | vars(consumer) | vars(metadata) | vars(producer)


class Api(NamedTuple):
    """One API by Kafka's name, the versions served, its handler. No answer (None) sends nothing."""

    name: str
    min_version: int
    max_version: int
    handler: Callable[[Broker, Any, Client], Awaitable[Answer | None]]

    @property
    def request(self) -> Any:
        return _CODEC[f"{self.name}Request"]

    @property
    def response(self) -> Any:
        return _CODEC[f"{self.name}Response"]


async def api_versions(broker: Broker, request: Any, client: Client) -> Answer:
    return advertisement(Error.NONE)


def advertisement(error: Error) -> Answer:
    versions = ((key, api.min_version, api.max_version) for key, api in REGISTRY.items())
    names = ("api_key", "min_version", "max_version")
    return {"error_code": error, "api_keys": [dict(zip(names, each, strict=True)) for each in versions]}


API_VERSIONS = Api("ApiVersions", 0, 3, api_versions)
APIS = (
    Api("Produce", 0, 9, producing.produce),
    Api("Fetch", 4, 12, fetching.fetch),
    Api("ListOffsets", 1, 7, fetching.list_offsets),
    Api("Metadata", 0, 9, cluster.metadata),
    Api("OffsetCommit", 2, 8, group_apis.offset_commit),
    Api("OffsetFetch", 1, 7, group_apis.offset_fetch),
    Api("FindCoordinator", 0, 4, cluster.find_coordinator),
    Api("JoinGroup", 0, 8, group_apis.join_group),
    Api("Heartbeat", 0, 4, group_apis.heartbeat),
    Api("LeaveGroup", 0, 5, group_apis.leave_group),
    Api("SyncGroup", 0, 5, group_apis.sync_group),
    Api("DescribeGroups", 0, 5, group_apis.describe_groups),
    Api("ListGroups", 0, 4, group_apis.list_groups),
    API_VERSIONS,
    Api("CreateTopics", 2, 6, administration.create_topics),
    Api("DeleteTopics", 1, 5, administration.delete_topics),
    Api("DeleteRecords", 0, 2, fetching.delete_records),
    Api("InitProducerId", 0, 4, producing.init_producer_id),
    Api("DescribeConfigs", 1, 4, administration.describe_configs),
    Api("AlterConfigs", 0, 2, administration.alter_configs),
    Api("CreatePartitions", 0, 3, administration.create_partitions),
    Api("DeleteGroups", 0, 2, group_apis.delete_groups),
    Api("IncrementalAlterConfigs", 0, 1, administration.incremental_alter_configs),
    Api("DescribeCluster", 0, 0, cluster.describe_cluster),
)
REGISTRY: dict[int, Api] = {api.request.API_KEY: api for api in APIS}
