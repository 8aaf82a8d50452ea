"""Bodies that are too large or too slow, sent byte by byte over a socket."""

from __future__ import annotations

import asyncio
import json

from tests.ingest.serving import MemoryPublisher, serving

HEAD = (
    "POST /v1/feedback HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_writer\r\n"
    "Content-Type: application/json\r\n"
)
GOOD = b'{"touchpoint":"a","metric":"csat","score":5}'


async def exchange(url: str, *parts: bytes) -> tuple[str, dict[str, object]]:
    """Send the parts; the head and the body of the answer."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        return head, json.loads(await reader.readexactly(length))
    finally:
        writer.close()


async def test_a_declared_length_over_the_limit_is_refused_before_the_body_comes() -> None:
    async with serving(MemoryPublisher()) as url:
        _, answer = await exchange(url, f"{HEAD}Content-Length: 1048577\r\n\r\n".encode())
    assert answer["reason"] == "body_too_large"


async def test_a_chunked_body_is_refused_when_it_passes_the_limit() -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    async with serving(MemoryPublisher()) as url:
        _, answer = await exchange(url, f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode(), *[chunk] * 17)
    assert answer["reason"] == "body_too_large"


async def test_a_chunked_body_of_the_limit_is_read() -> None:
    memory = MemoryPublisher()
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    last = GOOD + b" " * (65_536 - len(GOOD))
    async with serving(memory) as url:
        head = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
        _, answer = await exchange(url, head, *[chunk] * 15, b"10000\r\n" + last + b"\r\n0\r\n\r\n")
    assert answer == {"accepted": 1, "rejected": []}


async def test_a_body_that_stalls_is_told_so_and_the_connection_closed() -> None:
    async with serving(MemoryPublisher(), read_timeout=0.2) as url:
        head, answer = await exchange(url, f"{HEAD}Content-Length: 100\r\n\r\n".encode(), b"{")
    assert answer["reason"] == "read_timeout"
    assert "connection: close" in head


async def test_a_sender_that_goes_away_harms_nobody() -> None:
    memory = MemoryPublisher()
    async with serving(memory) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{HEAD}Content-Length: 100\r\n\r\n".encode() + GOOD)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        _, answer = await exchange(url, f"{HEAD}Content-Length: {len(GOOD)}\r\n\r\n".encode(), GOOD)
    assert answer == {"accepted": 1, "rejected": []}
    assert len(memory.events) == 1
