"""A record batch, format v2: the 61-byte header every batch carries, and its records when they must be seen.

Batches are opaque otherwise: producers' bytes are stored and served as they came, but for the base offset and
the leader epoch, which lie outside the checksum. Not implemented: formats v0 and v1, LogAppendTime.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from aiokafka import codec
from aiokafka.record.util import calc_crc32c, decode_varint

from deploy.embedded.kafka.wire import Error

HEADER = struct.Struct(">qiibIhiqqqhii")
_PREFIX = struct.Struct(">qii")
_NO_LEADER_EPOCH = -1
_CHECKSUM_AT, _CHECKED_AT, _COUNT_AT = 17, 21, 57
_CODEC_BITS, _TRANSACTIONAL, _CONTROL = 0x07, 0x10, 0x20
_DECODE: dict[int, Callable[[bytes], bytes]] = {
    1: codec.gzip_decode,
    2: codec.snappy_decode,
    3: codec.lz4_decode,
    4: codec.zstd_decode,
}
_ENCODE: dict[int, Callable[[bytes], bytes]] = {
    1: codec.gzip_encode,
    2: codec.snappy_encode,
    3: codec.lz4_encode,
    4: codec.zstd_encode,
}


@dataclass(frozen=True, slots=True)
class BatchHeader:
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
    count: int

    @property
    def last_sequence(self) -> int:
        return (self.base_sequence + self.last_offset_delta) & 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Record:
    """As much of a record as look-ups by time and compaction need; `raw` is all of it."""

    offset: int
    timestamp: int
    key: bytes | None
    tombstone: bool
    raw: bytes


def read_header(data: bytes) -> BatchHeader:
    return BatchHeader(*HEADER.unpack_from(data))


def check(data: bytes, max_bytes: int) -> Error:
    """Tells whether a produced byte string is exactly one batch that may be appended."""
    if len(data) < HEADER.size:
        return Error.CORRUPT_MESSAGE
    header = read_header(data)
    if header.magic != 2:
        return Error.UNSUPPORTED_FOR_MESSAGE_FORMAT
    if header.length + 12 != len(data):
        return (
            Error.INVALID_RECORD if HEADER.size <= header.length + 12 < len(data) else Error.CORRUPT_MESSAGE
        )
    if len(data) > max_bytes:
        return Error.MESSAGE_TOO_LARGE
    if calc_crc32c(memoryview(data)[_CHECKED_AT:]) != header.checksum:
        return Error.CORRUPT_MESSAGE
    if header.count < 1 or header.count != header.last_offset_delta + 1:
        return Error.INVALID_RECORD
    return Error.INVALID_RECORD if header.attributes & (_TRANSACTIONAL | _CONTROL) else Error.NONE


def placed_at(data: bytes, base_offset: int) -> bytes:
    (_, length, _) = _PREFIX.unpack_from(data)
    return _PREFIX.pack(base_offset, length, _NO_LEADER_EPOCH) + data[_PREFIX.size :]


def records(data: bytes) -> Iterator[Record]:
    header = read_header(data)
    body = data[HEADER.size :]
    codec_id = header.attributes & _CODEC_BITS
    if codec_id:
        body = _DECODE[codec_id](body)
    at = 0
    for _ in range(header.count):
        begins = at
        size, at = decode_varint(body, at)
        ends = at + size
        timestamp_delta, at = decode_varint(body, at + 1)
        offset_delta, at = decode_varint(body, at)
        key_length, at = decode_varint(body, at)
        key = body[at : at + key_length] if key_length >= 0 else None
        value_length, _ = decode_varint(body, at + max(key_length, 0))
        yield Record(
            header.base_offset + offset_delta,
            header.base_timestamp + timestamp_delta,
            key,
            value_length < 0,
            body[begins:ends],
        )
        at = ends


def with_records(data: bytes, kept: Iterable[Record]) -> bytes:
    """The same batch with only `kept`: offsets, timestamps and producer sequences stay as they were."""
    raws = [record.raw for record in kept]
    body = b"".join(raws)
    codec_id = read_header(data).attributes & _CODEC_BITS
    if codec_id:
        body = _ENCODE[codec_id](body)
    checked = data[_CHECKED_AT:_COUNT_AT] + struct.pack(">i", len(raws)) + body
    length = len(checked) + _CHECKED_AT - 12
    prefix = data[:8] + struct.pack(">i", length) + data[12:_CHECKSUM_AT]
    return prefix + struct.pack(">I", calc_crc32c(checked)) + checked
