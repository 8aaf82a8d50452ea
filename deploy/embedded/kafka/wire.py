"""The outermost layer: length-prefixed frames, request headers, response headers, error codes.

Serves header versions 1 and 2 (0 and 1 in responses); not implemented: SASL, TLS.
"""

import asyncio
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

FRAME_LIMIT = 100_000_000
_LENGTH = struct.Struct(">i")
_HEADER = struct.Struct(">hhih")


class Error(IntEnum):
    """Kafka's numbers for the errors this broker answers."""

    UNKNOWN_SERVER_ERROR = -1
    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    CORRUPT_MESSAGE = 2
    UNKNOWN_TOPIC_OR_PARTITION = 3
    MESSAGE_TOO_LARGE = 10
    OFFSET_METADATA_TOO_LARGE = 12
    INVALID_TOPIC_EXCEPTION = 17
    INVALID_REQUIRED_ACKS = 21
    ILLEGAL_GENERATION = 22
    INCONSISTENT_GROUP_PROTOCOL = 23
    INVALID_GROUP_ID = 24
    UNKNOWN_MEMBER_ID = 25
    INVALID_SESSION_TIMEOUT = 26
    REBALANCE_IN_PROGRESS = 27
    UNSUPPORTED_VERSION = 35
    TOPIC_ALREADY_EXISTS = 36
    INVALID_PARTITIONS = 37
    INVALID_CONFIG = 40
    INVALID_REQUEST = 42
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45
    INVALID_PRODUCER_EPOCH = 47
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
    KAFKA_STORAGE_ERROR = 56
    NON_EMPTY_GROUP = 68
    GROUP_ID_NOT_FOUND = 69
    FETCH_SESSION_ID_NOT_FOUND = 70
    MEMBER_ID_REQUIRED = 79
    INVALID_RECORD = 87


class ProtocolViolation(Exception):
    """The peer does not speak Kafka's protocol; its connection is closed."""


@dataclass(frozen=True, slots=True)
class RequestHeader:
    api_key: int
    version: int
    correlation_id: int
    client_id: str
    body_at: int


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(4))
    if not _HEADER.size <= length <= FRAME_LIMIT:
        raise ProtocolViolation(f"frame of {length} bytes")
    return await reader.readexactly(length)


def read_header(frame: bytes) -> RequestHeader:
    """Reads all but the tagged fields, whose presence only the API's own table knows."""
    api_key, version, correlation_id, client_length = _HEADER.unpack_from(frame)
    body_at = _HEADER.size + max(client_length, 0)
    if body_at > len(frame):
        raise ProtocolViolation("client id longer than its frame")
    client_id = frame[_HEADER.size : body_at].decode("utf-8", "replace")
    return RequestHeader(api_key, version, correlation_id, client_id, body_at)


def decode_request(request_class: Any, header: RequestHeader, frame: bytes) -> Any:
    body = memoryview(frame)[header.body_at :]
    if request_class.flexible_version_q(header.version):
        body = body[_tagged_fields_length(body) :]
    try:
        return request_class.decode(body, version=header.version)
    except (ValueError, IndexError, struct.error, TypeError, MemoryError) as error:
        raise ProtocolViolation(f"undecodable {request_class.name}: {error}") from error


def encode_response(response: Any, header: RequestHeader) -> bytes:
    response.API_VERSION = header.version
    response.with_header(header.correlation_id)
    encoded: bytes = response.encode(header=True, framed=True)
    return encoded


def _tagged_fields_length(body: memoryview) -> int:
    count, at = read_uvarint(body, 0)
    for _ in range(count):
        _, at = read_uvarint(body, at)
        size, at = read_uvarint(body, at)
        at += size
    return at


def read_uvarint(data: memoryview | bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ProtocolViolation("varint runs out of its frame")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
