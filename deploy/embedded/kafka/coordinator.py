"""Keeps the groups and their committed offsets, on disk too: a restart finds the last stable generation.

Not implemented: more than one coordinator, expiry (offsets stay until the group or the topic is deleted).
"""

from collections import defaultdict
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from deploy.embedded.kafka.groups import ORPHAN_GRACE_SECONDS, Group, Member, State
from deploy.embedded.kafka.store import Commit, Store
from deploy.embedded.kafka.wire import Error

_saved_group = attrgetter("state", "generation", "protocol_type", "protocol", "leader")
_saved_member = attrgetter(
    "id", "client_id", "protocols", "session_seconds", "rebalance_seconds", "assignment"
)


class Committed(NamedTuple):
    topic: str
    partition: int
    offset: int
    metadata: str


class Coordinator:
    def __init__(self, store: Store, now: float) -> None:
        self._store = store
        self._groups: dict[str, Group] = {}
        self._offsets: defaultdict[str, dict[tuple[str, int], Committed]] = defaultdict(dict)
        for name, saved in store.rows("SELECT id, state FROM groups"):
            self._groups[name] = self._restored(name, now, *msgspec.msgpack.decode(saved))
        for name, *row in store.rows("SELECT grp, topic, part, position, metadata FROM offsets"):
            self._offsets[self.open(name).id][row[0], row[1]] = Committed(*row)

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def get(self, group_id: str) -> Group | None:
        return self._groups.get(group_id)

    def open(self, group_id: str) -> Group:
        return self._groups.get(group_id) or self._groups.setdefault(group_id, Group(group_id, self._save))

    def offsets(self, group_id: str) -> dict[tuple[str, int], Committed]:
        return self._offsets.get(group_id, {})

    def commit(self, group: Group, commits: list[Committed]) -> Commit:
        self._offsets[group.id].update(((commit.topic, commit.partition), commit) for commit in commits)
        sql = "REPLACE INTO offsets (grp, topic, part, position, metadata) VALUES (?, ?, ?, ?, ?)"
        return self._store.submit(*((sql, (group.id, *commit)) for commit in commits))

    def delete(self, group_id: str) -> Error:
        group = self._groups.get(group_id)
        if group is None or group.state is not State.EMPTY:
            return Error.NON_EMPTY_GROUP if group else Error.GROUP_ID_NOT_FOUND
        del self._groups[group_id]
        self._offsets.pop(group_id, None)
        tables = ("DELETE FROM groups WHERE id = ?", "DELETE FROM offsets WHERE grp = ?")
        self._store.submit(*((sql, (group_id,)) for sql in tables))
        return Error.NONE

    def forget_topic(self, topic: str) -> None:
        for offsets in self._offsets.values():
            for key in [key for key in offsets if key[0] == topic]:
                del offsets[key]
        self._store.submit(("DELETE FROM offsets WHERE topic = ?", (topic,)))

    def orphan(self, connection: object, now: float) -> None:
        for group in self._groups.values():
            group.orphan(connection, now)

    async def sweep(self, now: float) -> None:
        for group in self._groups.values():
            group.sweep(now)

    def _save(self, group: Group) -> None:
        members = [_saved_member(member) for member in group.members.values()]
        encoded = msgspec.msgpack.encode((_saved_group(group), members))
        self._store.submit(("REPLACE INTO groups (id, state) VALUES (?, ?)", (group.id, encoded)))

    def _restored(self, name: str, now: float, saved: list[Any], members: list[list[Any]]) -> Group:
        state, *rest = saved
        group = Group(name, self._save, State(state), *rest)
        for fields in members:
            member = group.members[fields[0]] = Member(*fields)
            member.deadline = now + min(ORPHAN_GRACE_SECONDS, member.session_seconds)
        return group
