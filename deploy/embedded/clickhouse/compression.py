"""Bodies on the wire: what Content-Encoding brought is unpacked, what Accept-Encoding allows is packed."""

import zlib
from collections.abc import Callable

import cramjam

from deploy.embedded.clickhouse.errors import ClickHouseError

Codec = Callable[[bytes], bytes]


def _gunzip(data: bytes) -> bytes:
    return bytes(cramjam.gzip.decompress(data))


def _inflate(data: bytes) -> bytes:
    """ "deflate" means a zlib stream, but some clients send the bare one."""
    try:
        return zlib.decompress(data)
    except zlib.error:
        return zlib.decompress(data, -zlib.MAX_WBITS)


def _unlz4(data: bytes) -> bytes:
    return bytes(cramjam.lz4.decompress(data))


def _unzstd(data: bytes) -> bytes:
    return bytes(cramjam.zstd.decompress(data))


def _unbrotli(data: bytes) -> bytes:
    return bytes(cramjam.brotli.decompress(data))


_UNPACK: dict[str, Codec] = {
    "gzip": _gunzip,
    "deflate": _inflate,
    "lz4": _unlz4,
    "zstd": _unzstd,
    "br": _unbrotli,
}
_PACK: dict[str, Codec] = {
    "lz4": lambda data: bytes(cramjam.lz4.compress(data)),
    "zstd": lambda data: bytes(cramjam.zstd.compress(data, level=1)),
    "gzip": lambda data: bytes(cramjam.gzip.compress(data, level=3)),
    "deflate": lambda data: zlib.compress(data, 3),
    "br": lambda data: bytes(cramjam.brotli.compress(data, level=2)),
}


def unpack(data: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return data
    codec = _UNPACK.get(encoding)
    if codec is None:
        raise ClickHouseError(48, f"Content-Encoding {encoding} is not supported; send {', '.join(_UNPACK)}.")
    try:
        return codec(data)
    except (cramjam.DecompressionError, zlib.error) as error:
        raise ClickHouseError(117, f"The body is not valid {encoding}: {error}.") from None


def choose(accept_encoding: str) -> str:
    """The first encoding the client names that we can write; "" leaves the body alone."""
    for offer in accept_encoding.lower().split(","):
        name, _, quality = offer.strip().partition(";")
        if name.strip() in _PACK and quality.replace(" ", "") not in ("q=0", "q=0.0"):
            return name.strip()
    return ""


def pack(data: bytes, encoding: str) -> bytes:
    return _PACK[encoding](data)
