"""Touchpoints that do not exist: when they are answered and how well, with a drop at a known time or none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DAY, HOUR = 86_400.0, 3_600.0
START = 1_767_225_600.0
"""2026-01-01T00:00Z."""
MEAN_LEVEL, SPREAD = 0.82, 0.06
DAILY_RHYTHM = 0.03
WOBBLE, WOBBLE_KEPT = 0.015, 0.7
"""Standard deviation of a day's level, and how much of it lasts to the next day (AR(1))."""


class World(NamedTuple):
    """What all touchpoints of a scenario have in common."""

    name: str
    hourly: float
    sways: bool


class Stream(NamedTuple):
    """One touchpoint's answers: seconds since 1970, levels 0 or 1, and the level that was true at the time.

    `draws` decide the answers: one is good when its draw is below the true level.
    """

    times: Floats
    answers: Floats
    truth: Floats
    draws: Floats

    def fallen(self, first: int, size: float) -> Stream:
        """The same with the true level lower by `size` from the answer numbered `first` on."""
        truth = self.truth.copy()
        truth[first:] -= size
        return Stream(self.times, (self.draws < truth).astype(float), truth, self.draws)


WORLDS = tuple(
    World(f"{hourly:g}/h {name}", hourly, sways)
    for hourly in (0.5, 5.0, 50.0)
    for name, sways in (("iid", False), ("rhythm and wobble", True))
)


def stream(world: World, days: int, seed: tuple[int, ...]) -> Stream:
    """One touchpoint for so many days; the same seed makes the same one."""
    random = np.random.default_rng(seed)
    shape = MEAN_LEVEL * (1 - MEAN_LEVEL) / SPREAD**2 - 1
    level = random.beta(MEAN_LEVEL * shape, (1 - MEAN_LEVEL) * shape)
    count = random.poisson(world.hourly * 24 * days)
    times = START + np.sort(random.uniform(0.0, days * DAY, count))
    truth = np.full(count, level)
    if world.sways:
        phase = random.uniform(0.0, 2 * np.pi)
        truth += DAILY_RHYTHM * np.sin(2 * np.pi * times / DAY + phase)
        truth += wobble(days, random)[((times - START) // DAY).astype(int)]
    truth = truth.clip(0.25, 0.995)
    draws = random.uniform(size=count)
    return Stream(times, (draws < truth).astype(float), truth, draws)


def wobble(days: int, random: np.random.Generator) -> Floats:
    """The level of each day around the usual one."""
    shocks = random.normal(0.0, WOBBLE * np.sqrt(1 - WOBBLE_KEPT**2), days)
    levels = np.empty(days)
    level = random.normal(0.0, WOBBLE)
    for day, shock in enumerate(shocks):
        level = WOBBLE_KEPT * level + shock
        levels[day] = level
    return levels
