"""Reads a request's body within bounds of size and time, and splits it into independent items."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Literal

import msgspec
from starlette.types import Receive

from schemas.rejections import Reason, Rejected, refuse

BATCH_LIMIT = 500
"""Answers in one request."""

Media = Literal["json", "ndjson"]
Item = bytes | msgspec.Raw

_MEDIA: dict[str, Media] = {"application/json": "json", "application/x-ndjson": "ndjson"}
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_lists = msgspec.json.Decoder(list[msgspec.Raw])


def media_of(headers: Mapping[str, str]) -> Media | Rejected:
    """How the body is written, by its headers."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        return refuse(Reason.CONTENT_TYPE_UNSUPPORTED, "send the body without Content-Encoding")
    name, *parameters = (part.strip().lower() for part in headers.get("content-type", "").split(";"))
    media = _MEDIA.get(name)
    if media is None or any(p not in ("charset=utf-8", 'charset="utf-8"', "") for p in parameters):
        return refuse(Reason.CONTENT_TYPE_UNSUPPORTED)
    return media


async def read(receive: Receive, headers: Mapping[str, str], limit: int, seconds: float) -> bytes | Rejected:
    """The whole body; never holds more than `limit` bytes and one chunk of it."""
    too_large = refuse(Reason.BODY_TOO_LARGE, f"a request body may have {limit} bytes")
    if int(headers.get("content-length", "0")) > limit:
        return too_large
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while (message := await receive())["type"] == "http.request":
                chunk: bytes = message.get("body", b"")
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    return too_large
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        return refuse(Reason.READ_TIMEOUT)
    return refuse(Reason.READ_TIMEOUT, "the sender went away before the body was complete")


def split(body: bytes, media: Media) -> list[Item] | Rejected:
    """The items of a body in order; whether each is a good answer is not decided here."""
    text = body.removeprefix(_BOM).strip(_BLANK)
    if not text:
        return refuse(Reason.BODY_EMPTY)
    if media == "ndjson":
        items: list[Item] = [line for line in text.split(b"\n") if line.strip(_BLANK)]
    elif text.startswith(b"["):
        try:
            items = _elements(text)
        except (ValueError, RecursionError):
            return refuse(Reason.JSON_INVALID)
    else:
        items = [text]
    if len(items) > BATCH_LIMIT:
        return refuse(Reason.BATCH_TOO_LARGE, f"a request may have {BATCH_LIMIT} events")
    return items


def _elements(text: bytes) -> list[Item]:
    """The elements of a JSON array. Raises ValueError or RecursionError if it is none."""
    try:
        return list(_lists.decode(text))
    except msgspec.DecodeError:
        # One lone surrogate or NaN makes msgspec give up the whole array. The standard library reads past it,
        # and writes it back so that only its own element is refused.
        return [json.dumps(element).encode() for element in json.loads(text)]
