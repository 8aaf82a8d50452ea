"""A TCP proxy in front of ClickHouse that loses replies to inserts: the request arrives, its answer never does."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Self

INSERT = b"insert_deduplication_token"
"""In the request line of every insert of the sink."""
CHUNK_BYTES = 65_536


class LosingProxy:
    """Listens on a free port while used as a context, on a thread of its own.

    Cuts the connection instead of forwarding the reply to an insert: with probability `share`, `most` times in all.
    """

    def __init__(self, upstream: tuple[str, int], random: Random, share: float, most: int) -> None:
        self.port = self.inserts = self.lost = 0
        self._upstream = upstream
        self._random, self._share, self._most = random, share, most
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._over.wait()
        server.close()

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection: what ClickHouse answers after an insert may be lost, everything else is forwarded."""
        server, to_server = await asyncio.open_connection(*self._upstream)
        exchange = Exchange()
        asking = asyncio.ensure_future(exchange.ask(client, to_server))
        with suppress(OSError):
            while reply := await server.read(CHUNK_BYTES):
                if exchange.answered() and self._loses():
                    break
                to_client.write(reply)
                await to_client.drain()
        asking.cancel()
        to_client.close()
        to_server.close()

    def _loses(self) -> bool:
        self.inserts += 1
        lost = self.lost < self._most and self._random.random() < self._share
        self.lost += lost
        return lost

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


class Exchange:
    """One connection's requests, which come one after the other; knows whether the last one is an insert."""

    def __init__(self) -> None:
        self._insert = False

    async def ask(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        """Forward requests until the client has gone."""
        with suppress(OSError):
            while chunk := await client.read(CHUNK_BYTES):
                self._insert |= INSERT in chunk.partition(b"\r\n")[0]
                to_server.write(chunk)
                await to_server.drain()
        to_server.close()

    def answered(self) -> bool:
        """Whether an insert is being answered; each says so once."""
        insert, self._insert = self._insert, False
        return insert
