"""The outermost layer: length-prefixed frames, answers as plain values, and Kafka's numbers for errors.

Frames up to 100 MB. Not implemented: SASL, TLS.
"""

import asyncio
import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

Answer = dict[str, Any]  # a response by the protocol's field names; what it leaves out takes the default

_FRAME_BYTES = range(8, 100_000_001)
_LENGTH = struct.Struct(">i")


class Error(IntEnum):
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


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length not in _FRAME_BYTES:
        raise ProtocolViolation(f"a frame of {length} bytes")
    return await reader.readexactly(length)


def decode_request(request_class: Any, version: int, frame: bytes) -> Any:
    try:
        return request_class.decode(frame, version=version, header=True)
    except (ValueError, IndexError, TypeError, struct.error) as error:
        raise ProtocolViolation(f"an undecodable {request_class.name}: {error}") from error


def encode_response(response_class: Any, version: int, correlation_id: int, answer: Answer) -> bytes:
    response = _built(response_class, answer)
    response.API_VERSION = version
    response.with_header(correlation_id)
    encoded: bytes = response.encode(header=True, framed=True)
    return encoded


def _built(container: Any, answer: Mapping[str, Any]) -> Any:
    fields = container.fields
    values = {
        name: [_built(fields[name].data_class, each) for each in value]
        if value and fields[name].is_struct_array()
        else value
        for name, value in answer.items()
    }
    return container(**values)
