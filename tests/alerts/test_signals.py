"""What counts as a signal, and what is left out without stopping the ones behind it."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from schemas.rejections import Reason, Rejected
from services.alerts.signals import read_signal
from tests.alerts.examples import AFTERMATH, BAD, CONTACT, DROP, NOW, OVER, PAST, RECOVERED, REPEAT

NAIVE = NOW.replace(tzinfo=None)


@pytest.mark.parametrize("signal", [BAD, DROP, OVER, REPEAT, RECOVERED, AFTERMATH, replace(OVER, drop=None)])
def test_what_the_aggregator_writes_is_read(signal: object) -> None:
    assert read_signal(msgspec.json.encode(signal)) == signal


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.JSON_INVALID),
        (b"", Reason.JSON_INVALID),
        (b"\xff", Reason.JSON_INVALID),
        (b'{"x":' + b"[" * 100_000, Reason.JSON_INVALID),
        (b"{}", Reason.FIELD_INVALID),
        (b'"text"', Reason.FIELD_INVALID),
        (msgspec.json.encode(replace(DROP, drop=None)), Reason.FIELD_MISSING),
        (msgspec.json.encode(replace(AFTERMATH, aftermath=None)), Reason.FIELD_MISSING),
        (msgspec.json.encode(replace(REPEAT, history=())), Reason.FIELD_MISSING),
        (
            msgspec.json.encode(replace(REPEAT, history=(replace(PAST, occurred_at=NAIVE),))),
            Reason.FIELD_INVALID,
        ),
        (msgspec.json.encode(replace(BAD, at=NAIVE)), Reason.FIELD_INVALID),
        (
            msgspec.json.encode(replace(BAD, contact=replace(CONTACT, received_at=NAIVE))),
            Reason.FIELD_INVALID,
        ),
    ],
)
def test_anything_else_is_refused_with_a_reason(value: bytes | None, reason: Reason) -> None:
    refused = read_signal(value)
    assert isinstance(refused, Rejected)
    assert refused.reason is reason
