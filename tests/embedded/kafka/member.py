"""A group member in a process of its own, to be killed: python -m tests.embedded.kafka.member ENDPOINT TOPIC GROUP."""

import asyncio
import sys

from tests.embedded.kafka.clients import consuming


async def main(endpoint: str, topic: str, group: str) -> None:
    patience = {"session_timeout_ms": 60_000, "rebalance_timeout_ms": 60_000}
    async with consuming(topic, endpoint=endpoint, group_id=group, **patience) as consumer:
        async for _ in consumer:
            pass


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
