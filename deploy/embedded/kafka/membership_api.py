"""JoinGroup 0-8, SyncGroup 0-5, Heartbeat 0-4 and LeaveGroup 0-5: how clients form a group.

From JoinGroup 4 on a new member is first given its id (MEMBER_ID_REQUIRED). Not implemented: static membership (a
group.instance.id is ignored: such a client is an ordinary member), regular expression subscriptions.
"""

import asyncio
import uuid
from typing import Any

from kafka.protocol.consumer import (
    HeartbeatRequest,
    HeartbeatResponse,
    JoinGroupRequest,
    JoinGroupResponse,
    LeaveGroupRequest,
    LeaveGroupResponse,
    SyncGroupRequest,
    SyncGroupResponse,
)

from deploy.embedded.kafka.broker import Api, Broker, Caller
from deploy.embedded.kafka.groups import SESSION_TIMEOUT_MS, Group, Joined, JoinRequest, Synced
from deploy.embedded.kafka.wire import Error

_MEMBER_ID_REQUIRED_FROM = 4
_JoinedMember = JoinGroupResponse.JoinGroupResponseMember
_LeftMember = LeaveGroupResponse.MemberResponse


async def join_group(broker: Broker, request: Any, caller: Caller) -> Any:
    if not request.group_id:
        return _join_response(Joined(Error.INVALID_GROUP_ID, request.member_id), "")
    if request.session_timeout_ms not in SESSION_TIMEOUT_MS:
        return _join_response(Joined(Error.INVALID_SESSION_TIMEOUT, request.member_id), "")
    group = broker.groups.open(request.group_id)
    member_id = request.member_id or _new_member_id(broker, group, request, caller)
    if not request.member_id and caller.version >= _MEMBER_ID_REQUIRED_FROM:
        return _join_response(Joined(Error.MEMBER_ID_REQUIRED, member_id), "")
    joined = group.join(_join_request(request, member_id, caller), broker.now())
    if isinstance(joined, asyncio.Future):
        joined = await joined
    return _join_response(joined, group.protocol_type)


def _new_member_id(broker: Broker, group: Group, request: Any, caller: Caller) -> str:
    member_id = f"{caller.client_id}-{uuid.uuid4()}"
    group.pending[member_id] = (broker.now() + request.session_timeout_ms / 1000, caller.connection)
    return member_id


def _join_request(request: Any, member_id: str, caller: Caller) -> JoinRequest:
    return JoinRequest(
        member_id,
        caller.client_id,
        caller.connection,
        request.session_timeout_ms,
        request.rebalance_timeout_ms,
        request.protocol_type,
        {protocol.name: bytes(protocol.metadata) for protocol in request.protocols},
    )


def _join_response(joined: Joined, protocol_type: str) -> Any:
    return JoinGroupResponse(
        error_code=joined.error,
        generation_id=joined.generation,
        protocol_type=protocol_type,
        protocol_name=joined.protocol,
        leader=joined.leader,
        member_id=joined.member_id,
        members=[_JoinedMember(member_id=id_, metadata=metadata) for id_, metadata in joined.members],
    )


async def sync_group(broker: Broker, request: Any, caller: Caller) -> Any:
    group = broker.groups.get(request.group_id)
    if group is None:
        return SyncGroupResponse(error_code=Error.UNKNOWN_MEMBER_ID, assignment=b"")
    group.touch(request.member_id, caller.connection, broker.now())
    assignments = {each.member_id: bytes(each.assignment) for each in request.assignments}
    synced: Synced | asyncio.Future[Synced] = group.sync(
        request.member_id, request.generation_id, assignments
    )
    if isinstance(synced, asyncio.Future):
        synced = await synced
    await broker.groups.saved()
    return SyncGroupResponse(
        error_code=synced.error,
        protocol_type=group.protocol_type,
        protocol_name=group.protocol,
        assignment=synced.assignment,
    )


async def heartbeat(broker: Broker, request: Any, caller: Caller) -> Any:
    group = broker.groups.get(request.group_id)
    if group is None:
        return HeartbeatResponse(error_code=Error.UNKNOWN_MEMBER_ID)
    group.touch(request.member_id, caller.connection, broker.now())
    return HeartbeatResponse(error_code=group.heartbeat(request.member_id, request.generation_id))


async def leave_group(broker: Broker, request: Any, caller: Caller) -> Any:
    group = broker.groups.get(request.group_id)
    asked = [request.member_id] if caller.version < 3 else [each.member_id for each in request.members]
    errors = [group.leave(id_, broker.now()) if group else Error.UNKNOWN_MEMBER_ID for id_ in asked]
    if caller.version < 3:
        return LeaveGroupResponse(error_code=errors[0])
    members = [
        _LeftMember(member_id=id_, group_instance_id=None, error_code=error)
        for id_, error in zip(asked, errors, strict=True)
    ]
    return LeaveGroupResponse(error_code=Error.NONE, members=members)


APIS = (
    Api(JoinGroupRequest, 0, 8, join_group),
    Api(SyncGroupRequest, 0, 5, sync_group),
    Api(HeartbeatRequest, 0, 4, heartbeat),
    Api(LeaveGroupRequest, 0, 5, leave_group),
)
