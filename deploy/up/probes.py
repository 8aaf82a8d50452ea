"""Asks a running part whether it is ready; an empty answer means yes, another one says why not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp

Probe = Callable[[], Awaitable[str]]

_PATIENCE = aiohttp.ClientTimeout(total=2)


def http_probe(url: str) -> Probe:
    """Ready when a GET of `url` is answered with 200."""

    async def ask() -> str:
        try:
            async with aiohttp.ClientSession(timeout=_PATIENCE) as session, session.get(url) as answer:
                return (
                    "" if answer.status == 200 else (await answer.text()).strip() or f"status {answer.status}"
                )
        except (aiohttp.ClientError, TimeoutError):
            return f"no answer from {url}"

    return ask


def tcp_probe(address: str) -> Probe:
    """Ready when one of the host:port pairs of `address` accepts a connection."""

    async def ask() -> str:
        for pair in address.split(","):
            host, _, port = pair.strip().rpartition(":")
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), 2)
            except (OSError, TimeoutError):
                continue
            writer.close()
            return ""
        return f"nothing listens on {address}"

    return ask


def without_login(url: str) -> str:
    """The URL without user and password, as it may be shown and asked for /ping."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
