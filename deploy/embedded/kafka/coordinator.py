"""Keeps the groups and their committed offsets, on disk too: a restart finds the last stable generation.

Not implemented: more than one coordinator, offset expiry (offsets stay until the group or the topic is deleted).
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from deploy.embedded.kafka.groups import ORPHAN_GRACE_SECONDS, Group, Member, State
from deploy.embedded.kafka.store import Statement, Store


class Committed(NamedTuple):
    topic: str
    partition: int
    position: int
    metadata: str


class _SavedMember(msgspec.Struct):
    id: str
    client_id: str
    protocols: dict[str, bytes]
    session_seconds: float
    rebalance_seconds: float
    assignment: bytes


class _SavedGroup(msgspec.Struct):
    generation: int
    protocol_type: str
    protocol: str
    leader: str
    members: list[_SavedMember]


Offsets = dict[tuple[str, int], Committed]


class Coordinator:
    def __init__(self, store: Store, now: float) -> None:
        self._store = store
        self._groups: dict[str, Group] = {}
        self._offsets: dict[str, Offsets] = {}
        for name, state in store.rows("SELECT id, state FROM groups"):
            self._groups[name] = self._restored(name, msgspec.msgpack.decode(state, type=_SavedGroup), now)
        for name, *row in store.rows("SELECT grp, topic, idx, position, metadata FROM offsets"):
            self._remember(self.open(name), [Committed(*row)])

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def get(self, group_id: str) -> Group | None:
        return self._groups.get(group_id)

    def open(self, group_id: str) -> Group:
        return self._groups.get(group_id) or self._groups.setdefault(group_id, Group(group_id, self._save))

    def offsets(self, group_id: str) -> Offsets:
        return self._offsets.get(group_id, {})

    def commit(self, group: Group, commits: list[Committed]) -> "asyncio.Future[None]":
        self._remember(group, commits)
        sql = "REPLACE INTO offsets (grp, topic, idx, position, metadata) VALUES (?, ?, ?, ?, ?)"
        return self._store.submit(*((sql, (group.id, *commit)) for commit in commits))

    def saved(self) -> "asyncio.Future[None]":
        """Resolves once every generation announced so far is on disk."""
        return self._store.submit()

    def delete(self, group: Group) -> list[Statement]:
        del self._groups[group.id]
        self._offsets.pop(group.id, None)
        return [
            ("DELETE FROM groups WHERE id = ?", (group.id,)),
            ("DELETE FROM offsets WHERE grp = ?", (group.id,)),
        ]

    def forget_topic(self, topic: str) -> Statement:
        for offsets in self._offsets.values():
            for key in [key for key in offsets if key[0] == topic]:
                del offsets[key]
        return ("DELETE FROM offsets WHERE topic = ?", (topic,))

    def orphan(self, connection: object, now: float) -> None:
        for group in self._groups.values():
            group.orphan(connection, now)

    def sweep(self, now: float) -> None:
        for group in self._groups.values():
            group.sweep(now)

    def _remember(self, group: Group, commits: Iterable[Committed]) -> None:
        offsets = self._offsets.setdefault(group.id, {})
        offsets.update(((commit.topic, commit.partition), commit) for commit in commits)

    def _save(self, group: Group) -> None:
        members = [
            _SavedMember(m.id, m.client_id, m.protocols, m.session_seconds, m.rebalance_seconds, m.assignment)
            for m in group.members.values()
        ]
        saved = _SavedGroup(group.generation, group.protocol_type, group.protocol, group.leader, members)
        encoded = msgspec.msgpack.encode(saved)
        self._store.submit(("REPLACE INTO groups (id, state) VALUES (?, ?)", (group.id, encoded)))

    def _restored(self, name: str, saved: _SavedGroup, now: float) -> Group:
        state = State.STABLE if saved.members else State.EMPTY
        group = Group(
            name, self._save, state, saved.generation, saved.protocol_type, saved.protocol, saved.leader
        )
        for each in saved.members:
            member = Member(
                each.id, each.client_id, each.protocols, each.session_seconds, each.rebalance_seconds
            )
            member.assignment = each.assignment
            member.deadline = now + min(ORPHAN_GRACE_SECONDS, each.session_seconds)
            group.members[each.id] = member
        return group
