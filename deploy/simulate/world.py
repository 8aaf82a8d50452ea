"""The made-up company behind the traffic: touchpoints, teams, agents, and how good each touchpoint is."""

from __future__ import annotations

import math
from random import Random

from msgspec import Struct

from schemas.scoring import Metric


class Touchpoint(Struct, frozen=True):
    """Where answers come from. `level` is the share of top answers as usual, `weight` its part of the traffic.

    `peak` is the hour (UTC) at which it is busiest.
    """

    name: str
    metric: Metric
    channels: tuple[str, ...]
    team: str
    agents: tuple[str, ...]
    level: float
    weight: float
    peak: float


_AGENTS = {
    "support": ("Ania", "Bartek", "Celina", "Darek", "Ewa", "Filip"),
    "logistics": ("Gosia", "Hubert", "Iza"),
    "digital": ("",),
    "shops": ("Jan", "Kasia", "Lena", "Marek"),
}

_SHAPES: tuple[tuple[str, Metric, tuple[str, ...], str], ...] = (
    ("support.phone", "csat", ("phone",), "support"),
    ("checkout", "ces", ("web", "app"), "digital"),
    ("support.chat", "csat", ("chat", "whatsapp"), "support"),
    ("delivery", "csat", ("email", "sms"), "logistics"),
    ("relationship", "nps", ("email",), "digital"),
    ("returns", "ces", ("web", "email"), "logistics"),
    ("shop.visit", "csat", ("kiosk",), "shops"),
    ("onboarding", "nps", ("app",), "digital"),
    ("support.email", "csat", ("email",), "support"),
    ("self-service", "ces", ("web",), "digital"),
)


def touchpoints(count: int, random: Random) -> list[Touchpoint]:
    """As many as asked for; the first are the busiest."""
    return [_touchpoint(number, random) for number in range(count)]


def _touchpoint(number: int, random: Random) -> Touchpoint:
    name, metric, channels, team = _SHAPES[number % len(_SHAPES)]
    round_ = number // len(_SHAPES)
    return Touchpoint(
        name=f"{name}-{round_ + 1}" if round_ else name,
        metric=metric,
        channels=channels,
        team=team,
        agents=_AGENTS[team],
        level=random.uniform(0.52, 0.62) if metric == "nps" else random.uniform(0.80, 0.90),
        weight=1 / (1 + number) ** 0.6,
        peak=random.uniform(9, 19),
    )


def busyness(touchpoint: Touchpoint, hour: float) -> float:
    """Its part of the traffic at this hour of the day, relative to the others."""
    return touchpoint.weight * (1 + 0.7 * math.cos((hour - touchpoint.peak) * math.tau / 24))


def mood_of_day(hour: float) -> float:
    """What the hour adds to every level: people are kinder in the morning."""
    return 0.02 * math.cos((hour - 9) * math.tau / 24)
