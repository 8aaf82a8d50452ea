"""Gives an answer that has no event_id one that sorts by time: UUID version 7 of RFC 9562."""

from __future__ import annotations

RANDOM_BYTES = 10


def uuid7(unix_ms: int, random: bytes) -> str:
    """48 bits of time, then the version, the variant and 74 random bits (of 10 random bytes)."""
    number = unix_ms << 80 | int.from_bytes(random, "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
