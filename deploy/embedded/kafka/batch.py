"""A record batch, format v2: the 61-byte header every batch carries, and its records when they must be seen.

Batches are opaque otherwise: producers' bytes are stored and served as they came, but for the base offset and
the leader epoch, which lie outside the checksum. Not implemented: formats v0 and v1, LogAppendTime.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aiokafka import codec
from aiokafka.record.util import calc_crc32c, decode_varint

from deploy.embedded.kafka.wire import Error

HEADER = struct.Struct(">qiibIhiqqqhii")
_PREFIX = struct.Struct(">qii")  # base offset, length, leader epoch
_CHECKSUM_AT, _CHECKED_AT, _COUNT_AT = 17, 21, 57
_CODEC_BITS, _TRANSACTIONAL, _CONTROL = 0x07, 0x10, 0x20
_DECODERS = (bytes, codec.gzip_decode, codec.snappy_decode, codec.lz4_decode, codec.zstd_decode)
_ENCODERS = (bytes, codec.gzip_encode, codec.snappy_encode, codec.lz4_encode, codec.zstd_encode)


class BatchHeader(NamedTuple):
    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    checksum: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    record_count: int

    @property
    def codec(self) -> int:
        return self.attributes & _CODEC_BITS

    @property
    def last_sequence(self) -> int:
        return (self.base_sequence + self.last_offset_delta) & 0x7FFFFFFF


class Record(NamedTuple):
    """As much of a record as look-ups by time and compaction need; `raw` is all of it."""

    offset: int
    timestamp: int
    key: bytes | None
    is_tombstone: bool
    raw: bytes


def read_header(data: bytes) -> BatchHeader:
    return BatchHeader._make(HEADER.unpack_from(data))


def refusal(data: bytes, max_bytes: int) -> Error:
    """Why a produced byte string is not exactly one batch that may be appended, if it is not."""
    if len(data) < HEADER.size:
        return Error.CORRUPT_MESSAGE
    header = read_header(data)
    size = header.length + 12
    if header.magic != 2:
        return Error.UNSUPPORTED_FOR_MESSAGE_FORMAT
    if size != len(data):
        return Error.INVALID_RECORD if HEADER.size <= size < len(data) else Error.CORRUPT_MESSAGE
    if size > max_bytes:
        return Error.MESSAGE_TOO_LARGE
    if calc_crc32c(memoryview(data)[_CHECKED_AT:]) != header.checksum:
        return Error.CORRUPT_MESSAGE
    whole = header.record_count == header.last_offset_delta + 1 > 0 and header.codec < len(_DECODERS)
    return (
        Error.NONE if whole and not header.attributes & (_TRANSACTIONAL | _CONTROL) else Error.INVALID_RECORD
    )


def placed_at(data: bytes, base_offset: int) -> bytes:
    (_, length, _) = _PREFIX.unpack_from(data)
    return _PREFIX.pack(base_offset, length, -1) + data[_PREFIX.size :]


def records(data: bytes) -> Iterator[Record]:
    header = read_header(data)
    body, at = _DECODERS[header.codec](data[HEADER.size :]), 0
    for _ in range(header.record_count):
        begins = at
        size, at = decode_varint(body, at)
        ends = at + size
        timestamp_delta, at = decode_varint(body, at + 1)
        offset_delta, at = decode_varint(body, at)
        key_length, at = decode_varint(body, at)
        key = body[at : at + key_length] if key_length >= 0 else None
        value_length, _ = decode_varint(body, at + max(key_length, 0))
        offset, timestamp = header.base_offset + offset_delta, header.base_timestamp + timestamp_delta
        yield Record(offset, timestamp, key, value_length < 0, body[begins:ends])
        at = ends


def with_records(data: bytes, kept: Iterable[Record]) -> bytes:
    """The same batch with only `kept`: offsets, timestamps and producer sequences stay as they were."""
    raws = [record.raw for record in kept]
    body = _ENCODERS[read_header(data).codec](b"".join(raws))
    checked = data[_CHECKED_AT:_COUNT_AT] + struct.pack(">i", len(raws)) + body
    prefix = data[:8] + struct.pack(">i", len(checked) + _CHECKED_AT - 12) + data[12:_CHECKSUM_AT]
    return prefix + struct.pack(">I", calc_crc32c(checked)) + checked
