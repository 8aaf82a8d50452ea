"""JoinGroup 0-8, SyncGroup 0-5, Heartbeat 0-4, LeaveGroup 0-5, OffsetCommit 2-8, OffsetFetch 1-7, ListGroups 0-4,
DescribeGroups 0-5 and DeleteGroups 0-2: how clients form a group, and what a group leaves.

From JoinGroup 4 on a new member is first given its id (MEMBER_ID_REQUIRED). Not implemented: static membership
(a group.instance.id is ignored: such a client is an ordinary member), OffsetDelete, OffsetFetch for several
groups (8), offsets by topic id, authorized operations.
"""

import asyncio
import uuid
from typing import Any

from deploy.embedded.kafka.broker import Broker, Client
from deploy.embedded.kafka.coordinator import Committed
from deploy.embedded.kafka.groups import SESSION_TIMEOUT_MS, Group, State, failed
from deploy.embedded.kafka.store import StorageFailure
from deploy.embedded.kafka.wire import Answer, Error

_METADATA_LIMIT = 4096


async def join_group(broker: Broker, request: Any, client: Client) -> Answer:
    if not request.group_id:
        return failed(Error.INVALID_GROUP_ID, request.member_id)
    if request.session_timeout_ms not in SESSION_TIMEOUT_MS:
        return failed(Error.INVALID_SESSION_TIMEOUT, request.member_id)
    group, now = broker.groups.open(request.group_id), broker.now()
    member_id = request.member_id or f"{client.id}-{uuid.uuid4()}"
    if not request.member_id:
        group.pending[member_id] = (now + request.session_timeout_ms / 1000, client.connection)
        if request.version >= 4:
            return failed(Error.MEMBER_ID_REQUIRED, member_id)
    joined = group.join(member_id, request, client, now)
    return await joined if isinstance(joined, asyncio.Future) else joined


async def sync_group(broker: Broker, request: Any, client: Client) -> Answer:
    group = broker.groups.open(request.group_id)
    group.touch(request.member_id, client, broker.now())
    assignments = {each.member_id: each.assignment for each in request.assignments}
    synced = group.sync(request.member_id, request.generation_id, assignments)
    answer = await synced if isinstance(synced, asyncio.Future) else synced
    await broker.store.submit()  # the generation is on disk before anybody acts on it
    return answer


async def heartbeat(broker: Broker, request: Any, client: Client) -> Answer:
    group = broker.groups.open(request.group_id)
    group.touch(request.member_id, client, broker.now())
    return {"error_code": group.heartbeat(request.member_id, request.generation_id)}


async def leave_group(broker: Broker, request: Any, client: Client) -> Answer:
    group, now = broker.groups.open(request.group_id), broker.now()
    if request.version < 3:
        return {"error_code": group.leave(request.member_id, now)}
    leaving = [each.member_id for each in request.members]
    return {"members": [{"member_id": each, "error_code": group.leave(each, now)} for each in leaving]}


async def offset_commit(broker: Broker, request: Any, client: Client) -> Answer:
    group = broker.groups.open(request.group_id)
    refusal = group.commit_refusal(request.member_id, request.generation_id_or_member_epoch)
    group.touch(request.member_id, client, broker.now())
    commits, answers = [], []
    for topic in request.topics:
        partitions = []
        for asked in topic.partitions:
            metadata = asked.committed_metadata or ""
            commit = Committed(topic.name, asked.partition_index, asked.committed_offset, metadata)
            error = refusal or _refusal(broker, commit)
            commits += [commit] if error is Error.NONE else []
            partitions.append({"partition_index": asked.partition_index, "error_code": error})
        answers.append({"name": topic.name, "partitions": partitions})
    try:
        await broker.groups.commit(group, commits)
    except StorageFailure:
        for partition in (each for topic in answers for each in topic["partitions"]):
            partition["error_code"] = Error.KAFKA_STORAGE_ERROR
    return {"topics": answers}


def _refusal(broker: Broker, commit: Committed) -> Error:
    if broker.topics.partition(commit.topic, commit.partition) is None:
        return Error.UNKNOWN_TOPIC_OR_PARTITION
    return Error.OFFSET_METADATA_TOO_LARGE if len(commit.metadata) > _METADATA_LIMIT else Error.NONE


async def offset_fetch(broker: Broker, request: Any, client: Client) -> Answer:
    offsets = broker.groups.offsets(request.group_id)
    asked = [(topic.name, each) for topic in request.topics or () for each in topic.partition_indexes]
    topics: dict[str, list[Answer]] = {}
    for topic, index in asked if request.topics is not None else offsets:
        found = offsets.get((topic, index), Committed(topic, index, -1, ""))
        answer = {"partition_index": index, "committed_offset": found.offset, "metadata": found.metadata}
        topics.setdefault(topic, []).append(answer)
    return {"topics": [{"name": name, "partitions": answers} for name, answers in topics.items()]}


async def list_groups(broker: Broker, request: Any, client: Client) -> Answer:
    listed = [group for group in broker.groups if group.state in (request.states_filter or State)]
    names = ("group_id", "protocol_type", "group_state")
    rows = ((group.id, group.protocol_type, group.state) for group in listed)
    return {"groups": [dict(zip(names, row, strict=True)) for row in rows]}


async def describe_groups(broker: Broker, request: Any, client: Client) -> Answer:
    return {"groups": [_described(group_id, broker.groups.get(group_id)) for group_id in request.groups]}


def _described(group_id: str, group: Group | None) -> Answer:
    if group is None:
        return {"group_id": group_id, "group_state": "Dead"}
    members = [
        {
            "member_id": member.id,
            "client_id": member.client_id,
            "client_host": "/127.0.0.1",
            "member_metadata": member.protocols.get(group.protocol, b""),
            "member_assignment": member.assignment,
        }
        for member in group.members.values()
    ]
    protocol = {"protocol_type": group.protocol_type, "protocol_data": group.protocol}
    return {"group_id": group_id, "group_state": group.state, "members": members, **protocol}


async def delete_groups(broker: Broker, request: Any, client: Client) -> Answer:
    results = [{"group_id": each, "error_code": broker.groups.delete(each)} for each in request.groups_names]
    await broker.store.submit()
    return {"results": results}
