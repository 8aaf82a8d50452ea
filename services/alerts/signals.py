"""Step 1 of 5 from signal to message: reads one message of feedback.signals. Pure."""

from __future__ import annotations

import msgspec

from schemas.rejections import Reason, Rejected, refuse
from schemas.signals import Signal

_decoder = msgspec.json.Decoder(Signal)


def read_signal(value: bytes | None) -> Signal | Rejected:
    """The signal, or why this message is none. Never raises, never repeats input."""
    if value is None:
        return refuse(Reason.JSON_INVALID, "the message has no value")
    try:
        signal = _decoder.decode(value)
    except msgspec.ValidationError:
        return refuse(Reason.FIELD_INVALID)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return refuse(Reason.JSON_INVALID)
    if signal.kind == "drop" and signal.drop is None:
        return refuse(Reason.FIELD_MISSING, "a drop without its figures")
    if signal.kind == "aftermath" and signal.aftermath is None:
        return refuse(Reason.FIELD_MISSING, "an aftermath without its figures")
    if signal.kind in ("repeat_bad_contact", "recovered") and not signal.history:
        return refuse(Reason.FIELD_MISSING, "a customer's signal without the bad contacts before it")
    times = [signal.at, signal.contact.occurred_at, signal.contact.received_at]
    if signal.drop is not None:
        times.append(signal.drop.since)
    if signal.aftermath is not None:
        times.append(signal.aftermath.since)
    times += [past.occurred_at for past in signal.history]
    if any(time.tzinfo is None for time in times):
        return refuse(Reason.FIELD_INVALID, "a time without its zone")
    return signal
