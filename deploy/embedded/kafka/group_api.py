"""OffsetCommit 2-8, OffsetFetch 1-7, ListGroups 0-4, DescribeGroups 0-5 and DeleteGroups 0-2: a group's state.

Not implemented: OffsetDelete, batched OffsetFetch (8), offsets by topic id, authorized operations.
"""

from typing import Any

from kafka.protocol.admin import (
    DeleteGroupsRequest,
    DeleteGroupsResponse,
    DescribeGroupsRequest,
    DescribeGroupsResponse,
    ListGroupsRequest,
    ListGroupsResponse,
)
from kafka.protocol.consumer import (
    OffsetCommitRequest,
    OffsetCommitResponse,
    OffsetFetchRequest,
    OffsetFetchResponse,
)

from deploy.embedded.kafka.broker import Api, Broker, Caller
from deploy.embedded.kafka.coordinator import Committed
from deploy.embedded.kafka.groups import Group, State
from deploy.embedded.kafka.store import StorageFailure
from deploy.embedded.kafka.wire import Error

_CommittedTopic = OffsetCommitResponse.OffsetCommitResponseTopic
_CommittedPartition = _CommittedTopic.OffsetCommitResponsePartition
_FetchedTopic = OffsetFetchResponse.OffsetFetchResponseTopic
_FetchedPartition = _FetchedTopic.OffsetFetchResponsePartition
_DescribedGroup = DescribeGroupsResponse.DescribedGroup
_DescribedMember = _DescribedGroup.DescribedGroupMember
_ListedGroup = ListGroupsResponse.ListedGroup
_METADATA_LIMIT = 4096


async def offset_commit(broker: Broker, request: Any, caller: Caller) -> Any:
    group = broker.groups.open(request.group_id)
    refusal = group.commit_refusal(request.member_id, request.generation_id_or_member_epoch)
    group.touch(request.member_id, caller.connection, broker.now())
    outcomes = [
        (topic.name, part, refusal or _commit_refusal(broker, topic.name, part))
        for topic in request.topics
        for part in topic.partitions
    ]
    commits = [
        Committed(name, part.partition_index, part.committed_offset, part.committed_metadata or "")
        for name, part, error in outcomes
        if error is Error.NONE
    ]
    failure = Error.NONE
    try:
        await broker.groups.commit(group, commits)
    except StorageFailure:
        failure = Error.KAFKA_STORAGE_ERROR
    topics = [
        _CommittedTopic(
            name=name,
            partitions=[
                _CommittedPartition(partition_index=part.partition_index, error_code=error or failure)
            ],
        )
        for name, part, error in outcomes
    ]
    return OffsetCommitResponse(topics=topics)


def _commit_refusal(broker: Broker, topic: str, part: Any) -> Error:
    if broker.topics.partition(topic, part.partition_index) is None:
        return Error.UNKNOWN_TOPIC_OR_PARTITION
    too_large = len(part.committed_metadata or "") > _METADATA_LIMIT
    return Error.OFFSET_METADATA_TOO_LARGE if too_large else Error.NONE


async def offset_fetch(broker: Broker, request: Any, caller: Caller) -> Any:
    offsets = broker.groups.offsets(request.group_id)
    if request.topics is None:
        asked = list(offsets)
    else:
        asked = [(topic.name, index) for topic in request.topics for index in topic.partition_indexes]
    topics: dict[str, list[Any]] = {}
    for topic, index in asked:
        found = offsets.get((topic, index), Committed(topic, index, -1, ""))
        topics.setdefault(topic, []).append(
            _FetchedPartition(
                partition_index=index,
                committed_offset=found.position,
                metadata=found.metadata,
                error_code=Error.NONE,
            )
        )
    return OffsetFetchResponse(
        topics=[_FetchedTopic(name=name, partitions=partitions) for name, partitions in topics.items()]
    )


async def list_groups(broker: Broker, request: Any, caller: Caller) -> Any:
    wanted = set(request.states_filter or ())
    groups = [
        _ListedGroup(group_id=group.id, protocol_type=group.protocol_type, group_state=group.state)
        for group in broker.groups
        if not wanted or group.state in wanted
    ]
    return ListGroupsResponse(error_code=Error.NONE, groups=groups)


async def describe_groups(broker: Broker, request: Any, caller: Caller) -> Any:
    return DescribeGroupsResponse(groups=[_described(id_, broker.groups.get(id_)) for id_ in request.groups])


def _described(group_id: str, group: Group | None) -> Any:
    if group is None:
        return _DescribedGroup(
            error_code=Error.NONE,
            group_id=group_id,
            group_state="Dead",
            protocol_type="",
            protocol_data="",
            members=[],
        )
    members = [
        _DescribedMember(
            member_id=member.id,
            client_id=member.client_id,
            client_host="/127.0.0.1",
            member_metadata=member.protocols.get(group.protocol, b""),
            member_assignment=member.assignment,
        )
        for member in group.members.values()
    ]
    return _DescribedGroup(
        error_code=Error.NONE,
        group_id=group_id,
        group_state=group.state,
        protocol_type=group.protocol_type,
        protocol_data=group.protocol,
        members=members,
    )


async def delete_groups(broker: Broker, request: Any, caller: Caller) -> Any:
    results, statements = [], []
    for group_id in request.groups_names:
        group = broker.groups.get(group_id)
        error = Error.GROUP_ID_NOT_FOUND if group is None else Error.NONE
        if group is not None and group.state is not State.EMPTY:
            error = Error.NON_EMPTY_GROUP
        elif group is not None:
            statements += broker.groups.delete(group)
        results.append(DeleteGroupsResponse.DeletableGroupResult(group_id=group_id, error_code=error))
    await broker.store.submit(*statements)
    return DeleteGroupsResponse(results=results)


APIS = (
    Api(OffsetCommitRequest, 2, 8, offset_commit),
    Api(OffsetFetchRequest, 1, 7, offset_fetch),
    Api(ListGroupsRequest, 0, 4, list_groups),
    Api(DescribeGroupsRequest, 0, 5, describe_groups),
    Api(DeleteGroupsRequest, 0, 2, delete_groups),
)
