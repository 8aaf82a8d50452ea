"""Decides what happens when a part has died: start it again after a while, or give up."""

from __future__ import annotations

from msgspec import Struct


class Policy(Struct, frozen=True):
    """`limit` deaths within `within` seconds end the stack; the pause doubles from `first` to `longest`."""

    limit: int = 5
    within: float = 60.0
    first: float = 0.2
    longest: float = 5.0


class Again(Struct, frozen=True):
    """Start the part again after `delay` seconds; `deaths` are the ones still remembered."""

    delay: float
    deaths: tuple[float, ...]


class GiveUp(Struct, frozen=True):
    """The part died `times` times in a row."""

    times: int


def after_death(policy: Policy, deaths: tuple[float, ...], now: float) -> Again | GiveUp:
    """What to do about a death at `now`, after earlier ones at `deaths` (all in seconds of one clock)."""
    recent = (*(death for death in deaths if now - death < policy.within), now)
    if len(recent) >= policy.limit:
        return GiveUp(len(recent))
    return Again(min(policy.longest, policy.first * 2 ** (len(recent) - 1)), recent)
