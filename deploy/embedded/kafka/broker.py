"""What every API handler is given: the broker's parts, and through them its memory and its disk."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from deploy.embedded.kafka.coordinator import Coordinator
from deploy.embedded.kafka.groups import Client as Client
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
    now: Callable[[], float]  # steady seconds, for sessions and deadlines
    now_ms: Callable[[], int]  # the wall clock, for timestamps
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
