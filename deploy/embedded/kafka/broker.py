"""What every API handler is given: the broker's parts, and who asks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from deploy.embedded.kafka.coordinator import Coordinator
from deploy.embedded.kafka.store import Store
from deploy.embedded.kafka.topics import Topics

NODE_ID = 1


@dataclass(frozen=True, slots=True)
class Broker:
    host: str
    port: int
    cluster_id: str
    store: Store
    topics: Topics
    groups: Coordinator
    producer_ids: Iterator[int]
    now_ms: Callable[[], int]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> float:
        """Steady seconds, for sessions and deadlines; `now_ms` is the wall clock, for timestamps."""
        return asyncio.get_running_loop().time()

    def stop(self) -> None:
        """Lets waiting fetches answer with what there is."""
        self.stopping.set()
        for topic in self.topics:
            for partition in topic.partitions:
                partition.wake()


class Caller(NamedTuple):
    """Who asks: which client, on which connection, in which version of the API."""

    client_id: str
    connection: object
    version: int


Handler = Callable[[Broker, Any, Caller], Awaitable[Any]]


class Api(NamedTuple):
    """One API: the codec's request class, the versions served, the handler. `None` as an answer sends nothing."""

    request: Any
    min_version: int
    max_version: int
    handler: Handler
