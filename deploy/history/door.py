"""The client's side of POST /v1/feedback, for what people start by hand: simulate and import."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct

from deploy.up.failure import CANNOT_START, Failure
from deploy.up.settings import checked_settings

PATIENCE_SECONDS = 120.0
"""How long a server that is there, but says 'later', is asked again."""
LONGEST_WAIT_SECONDS = 30.0
_LATER = {429, 500, 502, 503, 504}


class Refused(Struct, frozen=True):
    """One answer the server did not take."""

    index: int
    reason: str
    detail: str


class Posted(Struct, frozen=True):
    """What became of one request."""

    accepted: int
    rejected: list[Refused]


class _Problem(Struct, frozen=True):
    reason: str = "unknown"
    detail: str = "no explanation was given"
    rejected: list[Refused] | None = None


class Where(Struct, frozen=True):
    """A server and the key to use there."""

    url: str
    key: str


def find(url: str, key: str, purpose: str) -> Where:
    """Fill in what was not given: the address from INGEST_PORT, the key from dev-keys.json."""
    settings = checked_settings()
    address = url or f"http://127.0.0.1:{settings.ingest_port}"
    if not address.startswith(("http://", "https://")):
        raise Failure(f"--url must begin with http:// or https://: {address}", CANNOT_START)
    return Where(address.rstrip("/"), key or _dev_key(settings.aftertouch_data, purpose))


def _dev_key(data: Path, purpose: str) -> str:
    file = data / "dev-keys.json"
    try:
        return str(msgspec.json.decode(file.read_bytes())[purpose])
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        raise Failure(
            f"There is no key: {file} has none for '{purpose}'. Give one with --key, or set AFTERTOUCH_DATA to "
            "the data directory of a running `aftertouch up`.",
            CANNOT_START,
        ) from None


class Door:
    """Posts NDJSON, and asks again while the server says that it is not its day."""

    def __init__(self, session: aiohttp.ClientSession, where: Where, history: bool = False) -> None:
        self._session = session
        self._where = where
        self._path = "/v1/feedback?history=1" if history else "/v1/feedback"
        self._headers = {"Authorization": f"Bearer {where.key}", "Content-Type": "application/x-ndjson"}

    async def check(self) -> None:
        """Raise Failure unless an ingest answers there."""
        try:
            async with self._session.get(f"{self._where.url}/livez") as response:
                alive = response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            alive = False
        if not alive:
            raise Failure(
                f"Nothing answers at {self._where.url}: start it with `aftertouch up`, or say where it is with --url."
            )

    async def post(self, lines: list[bytes]) -> Posted:
        """Post until the server has decided. Raises Failure when it does not, or refuses the request as such."""
        give_up = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        body = b"\n".join(lines)
        while True:
            outcome = await self._try(body)
            if isinstance(outcome, Posted):
                return outcome
            if asyncio.get_running_loop().time() + outcome > give_up:
                raise Failure(
                    f"{self._where.url} took nothing for {PATIENCE_SECONDS:.0f} s. Try again later."
                )
            await asyncio.sleep(outcome)

    async def _try(self, body: bytes) -> Posted | float:
        """What became of it, or in how many seconds to ask again."""
        url = self._where.url + self._path
        try:
            async with self._session.post(url, data=body, headers=self._headers) as response:
                raw = await response.read()
                return _outcome(response.status, raw, response.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError):
            return 1.0


def _outcome(status: int, raw: bytes, retry_after: str) -> Posted | float:
    if status in _LATER:
        return min(float(retry_after) if retry_after.isdigit() else 1.0, LONGEST_WAIT_SECONDS)
    if status == 202:
        return msgspec.json.decode(raw, type=Posted)
    try:
        problem = msgspec.json.decode(raw, type=_Problem)
    except msgspec.DecodeError:
        problem = _Problem()
    if status == 422 and problem.rejected is not None:
        return Posted(0, problem.rejected)
    raise Failure(f"The server refused the request ({status} {problem.reason}): {problem.detail}.")
