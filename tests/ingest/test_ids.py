"""UUID version 7: the layout of RFC 9562, and order by time."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.ids import RANDOM_BYTES, uuid7

moments = st.integers(0, 2**48 - 1)
randoms = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


def test_the_example_of_the_rfc() -> None:
    random = (0xCC3 << 64 | 0x18C4DC0C0C07398F & (1 << 62) - 1).to_bytes(RANDOM_BYTES, "big")
    assert uuid7(0x017F22E279B0, random) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(moments, randoms)
def test_is_a_uuid_of_version_7_that_holds_the_time(unix_ms: int, random: bytes) -> None:
    made = uuid.UUID(uuid7(unix_ms, random))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == unix_ms


@given(moments, moments, randoms, randoms)
def test_sorts_by_time(one: int, other: int, random: bytes, more: bytes) -> None:
    if one < other:
        assert uuid7(one, random) < uuid7(other, more)


@given(moments, randoms, randoms)
def test_keeps_74_random_bits(unix_ms: int, random: bytes, more: bytes) -> None:
    free = ~(0xF << 76 | 0x3 << 62)
    differs = int.from_bytes(random, "big") & free != int.from_bytes(more, "big") & free
    assert (uuid7(unix_ms, random) != uuid7(unix_ms, more)) == differs
