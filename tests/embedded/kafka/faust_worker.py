"""A Faust worker in a process of its own: copies numbers, with its name, from one topic to another.

python -m tests.embedded.kafka.faust_worker ENDPOINT SOURCE COPIES NAME DATADIR
"""

import sys
from collections.abc import AsyncIterator
from typing import Any

import faust


def main(endpoint: str, source: str, copies: str, name: str, data: str) -> None:
    app = faust.App(
        f"copier-{source}",
        broker=f"kafka://{endpoint}",
        datadir=data,
        web_enabled=False,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=0.3,
        broker_commit_interval=0.2,
        stream_wait_empty=False,
        key_serializer="raw",
        value_serializer="raw",
    )
    target = app.topic(copies, key_serializer="raw", value_serializer="raw")
    counts = app.Table("counts", default=int, partitions=4)

    async def copy(numbers: AsyncIterator[Any]) -> None:
        async for number in numbers:
            counts[name] += 1
            await target.send(key=name.encode(), value=number)

    app.agent(app.topic(source, key_serializer="raw", value_serializer="raw"))(copy)
    sys.argv = ["faust", "worker", "--without-web", "-l", "warn"]
    app.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
