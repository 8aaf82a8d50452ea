"""Consumer groups, the classic protocol: who is a member, which generation it is, who must answer for what.

States: Empty, PreparingRebalance (members join), CompletingRebalance (the leader assigns), Stable. Time
comes in as `now` (seconds of any steady clock). Not implemented: static membership (a group.instance.id is
ignored), the initial rebalance delay, the consumer protocol of KIP-848.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from deploy.embedded.kafka.wire import Answer, Error

# A closed loopback connection is a dead client, or one that is back within seconds.
ORPHAN_GRACE_SECONDS = 8.0
SESSION_TIMEOUT_MS = range(6_000, 1_800_001)


Waiting = asyncio.Future[Answer]


class State(StrEnum):
    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"


class Client(NamedTuple):
    """Who sends a request, and on which connection."""

    id: str
    connection: object


@dataclass(eq=False, slots=True)
class Member:
    id: str
    client_id: str
    protocols: dict[str, bytes] = field(default_factory=dict)
    session_seconds: float = 0.0
    rebalance_seconds: float = 0.0
    assignment: bytes = b""
    deadline: float = 0.0
    connection: object = None
    join: Waiting | None = None
    sync: Waiting | None = None


def failed(error: Error, member_id: str) -> Answer:
    return {"error_code": error, "member_id": member_id}


def _settle(waiting: Waiting | None, answer: Answer) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(answer)


@dataclass(eq=False, slots=True)
class Group:
    id: str
    on_generation: "Callable[[Group], None]"
    state: State = State.EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str = ""
    leader: str = ""
    members: dict[str, Member] = field(default_factory=dict)
    # member ids given out and not yet used: when they lapse, and the connection they were given on
    pending: dict[str, tuple[float, object]] = field(default_factory=dict)
    join_deadline: float = 0.0

    def join(self, member_id: str, request: Any, client: Client, now: float) -> Answer | Waiting:
        """Takes a JoinGroup request, under the member id it came with or was just given."""
        refusal = self._join_refusal(member_id, request)
        if refusal is not Error.NONE:
            return failed(refusal, member_id)
        protocols = {protocol.name: protocol.metadata for protocol in request.protocols}
        unchanged = member_id in self.members and self.members[member_id].protocols == protocols
        self.pending.pop(member_id, None)
        member = self.members.setdefault(member_id, Member(member_id, client.id))
        member.protocols, self.protocol_type = protocols, request.protocol_type
        member.session_seconds = request.session_timeout_ms / 1000
        member.rebalance_seconds = max(request.rebalance_timeout_ms, request.session_timeout_ms) / 1000
        self.touch(member_id, client, now)
        stays = self.state is State.COMPLETING or (self.state is State.STABLE and member_id != self.leader)
        if unchanged and stays:
            return self._generation_for(member)
        _settle(member.join, failed(Error.REBALANCE_IN_PROGRESS, member_id))
        member.join = waiting = asyncio.get_running_loop().create_future()
        self._rebalance(now)
        return waiting

    def sync(self, member_id: str, generation: int, assignments: Mapping[str, bytes]) -> Answer | Waiting:
        refusal = self.heartbeat(member_id, generation)
        if refusal is not Error.NONE:
            return self._synced(refusal)
        member = self.members[member_id]
        if self.state is State.STABLE:
            return self._synced(Error.NONE, member.assignment)
        _settle(member.sync, self._synced(Error.REBALANCE_IN_PROGRESS))
        member.sync = waiting = asyncio.get_running_loop().create_future()
        if member_id == self.leader:
            self._become_stable(assignments)
        return waiting

    def heartbeat(self, member_id: str, generation: int) -> Error:
        return self._refusal(member_id, generation, State.PREPARING)

    def leave(self, member_id: str, now: float) -> Error:
        if self.pending.pop(member_id, None) is not None:
            self._complete_if_all_joined(now)
            return Error.NONE
        if member_id not in self.members:
            return Error.UNKNOWN_MEMBER_ID
        self._remove([member_id], now)
        return Error.NONE

    def commit_refusal(self, member_id: str, generation: int) -> Error:
        if generation < 0 and self.state is State.EMPTY:
            return Error.NONE
        return self._refusal(member_id, generation, State.COMPLETING)

    def touch(self, member_id: str, client: Client, now: float) -> None:
        """Hears from a member: its session starts again, on this connection."""
        member = self.members.get(member_id)
        if member is not None:
            member.deadline = now + member.session_seconds
            member.connection = client.connection

    def orphan(self, connection: object, now: float) -> None:
        """Takes note that a connection closed: its members have little time to come back."""
        lapses = now + ORPHAN_GRACE_SECONDS
        for member in self.members.values():
            if member.connection is connection:
                member.deadline = min(member.deadline, lapses)
                member.join = member.sync = None
        for member_id, (deadline, given_on) in self.pending.items():
            if given_on is connection:
                self.pending[member_id] = (min(deadline, lapses), None)

    def sweep(self, now: float) -> None:
        """Lets go of members whose session ended, and of a rebalance that waited long enough."""
        lapsed = [member_id for member_id, (deadline, _) in self.pending.items() if deadline < now]
        for member_id in lapsed:
            del self.pending[member_id]
        waiting = (member for member in self.members.values() if not member.join and not member.sync)
        gone = [member.id for member in waiting if member.deadline < now]
        if gone:
            self._remove(gone, now)
        elif self.state is State.PREPARING and now >= self.join_deadline:
            self._complete(now)
        elif lapsed:
            self._complete_if_all_joined(now)

    def _join_refusal(self, member_id: str, request: Any) -> Error:
        if member_id not in self.members and member_id not in self.pending:
            return Error.UNKNOWN_MEMBER_ID
        others = [member for member in self.members.values() if member.id != member_id]
        offered = {protocol.name for protocol in request.protocols}
        agreed = offered.intersection(*(member.protocols for member in others))
        same_type = request.protocol_type and (not others or request.protocol_type == self.protocol_type)
        return Error.NONE if agreed and same_type else Error.INCONSISTENT_GROUP_PROTOCOL

    def _refusal(self, member_id: str, generation: int, not_while: State) -> Error:
        if member_id not in self.members:
            return Error.UNKNOWN_MEMBER_ID
        if generation != self.generation:
            return Error.ILLEGAL_GENERATION
        return Error.REBALANCE_IN_PROGRESS if self.state is not_while else Error.NONE

    def _remove(self, member_ids: list[str], now: float) -> None:
        for member_id in member_ids:
            member = self.members.pop(member_id)
            _settle(member.join, failed(Error.UNKNOWN_MEMBER_ID, member_id))
            _settle(member.sync, self._synced(Error.UNKNOWN_MEMBER_ID))
        self._rebalance(now)

    def _rebalance(self, now: float) -> None:
        if self.state is not State.PREPARING:
            self.state = State.PREPARING
            waits = (member.rebalance_seconds for member in self.members.values())
            self.join_deadline = now + max(waits, default=0.0)
            for member in self.members.values():
                _settle(member.sync, self._synced(Error.REBALANCE_IN_PROGRESS))
                member.sync = None
        self._complete_if_all_joined(now)

    def _complete_if_all_joined(self, now: float) -> None:
        all_joined = all(member.join for member in self.members.values())
        if self.state is State.PREPARING and all_joined and not self.pending:
            self._complete(now)

    def _complete(self, now: float) -> None:
        self.members = {member.id: member for member in self.members.values() if member.join}
        self.generation += 1
        if not self.members:
            self.state, self.protocol, self.leader = State.EMPTY, "", ""
            self.on_generation(self)
            return
        self.state, self.protocol = State.COMPLETING, self._elected_protocol()
        if self.leader not in self.members:
            self.leader = next(iter(self.members))
        for member in self.members.values():
            member.deadline = now + member.session_seconds
            _settle(member.join, self._generation_for(member))
            member.join = None

    def _elected_protocol(self) -> str:
        members = self.members.values()
        agreed = set.intersection(*(set(member.protocols) for member in members))
        votes = Counter(next(name for name in member.protocols if name in agreed) for member in members)
        return votes.most_common(1)[0][0]

    def _generation_for(self, member: Member) -> Answer:
        """The answer to a join; only the leader is told the members."""
        told = self.members.values() if member.id == self.leader else ()
        return {
            "generation_id": self.generation,
            "protocol_type": self.protocol_type,
            "protocol_name": self.protocol,
            "leader": self.leader,
            "member_id": member.id,
            "members": [{"member_id": each.id, "metadata": each.protocols[self.protocol]} for each in told],
        }

    def _synced(self, error: Error, assignment: bytes = b"") -> Answer:
        names = {"protocol_type": self.protocol_type, "protocol_name": self.protocol}
        return {"error_code": error, "assignment": assignment, **names}

    def _become_stable(self, assignments: Mapping[str, bytes]) -> None:
        self.state = State.STABLE
        for member in self.members.values():
            member.assignment = assignments.get(member.id, b"")
        self.on_generation(self)
        for member in self.members.values():
            _settle(member.sync, self._synced(Error.NONE, member.assignment))
            member.sync = None
