"""What a contender says: its output topic followed from the outside, and compared with the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from schemas.scores import ScoreUpdate, Window
from schemas.topics import PARTITIONS
from tests.bench.peers.load import Key, Ledger

MINUTES: dict[Window, int] = {"5m": 5, "1h": 60, "24h": 1440}
WINDOWS: tuple[Window, ...] = ("5m", "1h", "24h")

Figures = tuple[int, float]
"""Answers, and their share of good ones in percent."""
NONE: Figures = (0, 0.0)
Reader = Callable[[bytes], tuple[Key, dict[Window, Figures]]]


class Rolled(Struct):
    """An update of all three windows, as the peers send it. Pathway sends taken-back rows, too, with diff -1."""

    touchpoint: str
    metric: str
    n_5m: int
    n_1h: int
    n_24h: int
    score_5m: float | None
    score_1h: float | None
    score_24h: float | None
    diff: int = 1


class Hopped(Struct):
    """One window, as the engines' own windows tell it."""

    touchpoint: str
    metric: str
    window: Window
    n: int
    score: float
    diff: int = 1


_rolled = msgspec.json.Decoder(Rolled)
_hopped = msgspec.json.Decoder(Hopped)
_scores = msgspec.json.Decoder(ScoreUpdate)


def read_rolled(value: bytes) -> tuple[Key, dict[Window, Figures]]:
    """A peer's update."""
    r = _rolled.decode(value)
    if r.diff < 0:
        return "", {}
    figures: dict[Window, Figures] = {
        "5m": (r.n_5m, r.score_5m or 0.0),
        "1h": (r.n_1h, r.score_1h or 0.0),
        "24h": (r.n_24h, r.score_24h or 0.0),
    }
    return f"{r.touchpoint}/{r.metric}", figures


def read_hopped(value: bytes) -> tuple[Key, dict[Window, Figures]]:
    """A window of an engine's own. Which of the 5 min ones is the newest, these messages do not say."""
    hopped = _hopped.decode(value)
    if hopped.diff < 0 or hopped.window == "5m":
        return "", {}
    return f"{hopped.touchpoint}/{hopped.metric}", {hopped.window: (hopped.n, hopped.score)}


def read_scores(value: bytes) -> tuple[Key, dict[Window, Figures]]:
    """A message of feedback.scores. Its 5 min end at the wall clock, so they are not the ledger's."""
    update = _scores.decode(value)
    windows: tuple[Window, ...] = ("1h", "24h")
    figures: dict[Window, Figures] = {w: (update.windows[w].n, update.windows[w].score) for w in windows}
    return f"{update.touchpoint}/{update.metric}", figures


class Seen(Struct):
    """The fullest figures of each key so far, and how many answers they hold by window: that only grows here."""

    figures: dict[Key, dict[Window, Figures]] = {}
    held: dict[Window, int] = msgspec.field(default_factory=lambda: {"1h": 0, "24h": 0})

    @property
    def total(self) -> int:
        """Answers in every window that holds the whole load."""
        return min(self.held.values())

    def take(self, key: Key, figures: dict[Window, Figures]) -> None:
        """Take in one update; one with fewer answers than are known says nothing new."""
        known = self.figures.setdefault(key, {})
        if any(n < known.get(window, NONE)[0] for window, (n, _) in figures.items() if window in self.held):
            return
        for window, figure in figures.items():
            if window in self.held:
                self.held[window] += figure[0] - known.get(window, NONE)[0]
            known[window] = figure


class Following:
    """Reads an output topic from its beginning until it is told enough; `noticed` hears of every update."""

    def __init__(self, bootstrap: str, topic: str, read: Reader) -> None:
        self.seen = Seen()
        self.rate = 0.0
        """Answers a second of wall time, counted from the first updates on: the start is not in it."""
        self._read = read
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=20,
        )
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    async def start(self) -> None:
        """Connect."""
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_beginning(*self._partitions)

    async def until(
        self,
        enough: Callable[[Seen], bool],
        alive: Callable[[], bool],
        seconds: float,
        noticed: Callable[[Key, int, float], None] = lambda key, n, at: None,
    ) -> bool:
        """Whether enough was seen within that time and while the contender was alive."""
        end = time.monotonic() + seconds
        last = False
        first: tuple[float, int] | None = None
        while not enough(self.seen):
            if last or time.monotonic() > end:
                return False
            last = not alive()  # what it sent before it ended is still read
            found = await self._consumer.getmany(timeout_ms=1000 if last else 100)
            at = time.time()
            for value in (record.value for records in found.values() for record in records):
                key, figures = self._read(value)
                if key:
                    self.seen.take(key, figures)
                    noticed(key, figures.get("24h", NONE)[0], at)
            if found and first is None:
                first = at, self.seen.total
            elif found and first is not None:
                self.rate = (self.seen.total - first[1]) / max(1e-3, at - first[0])
            last = last and not found
        return True

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()


def verdict(ledger: Ledger, figures: dict[Key, dict[Window, Figures]]) -> str:
    """'exact', or in how many keys and answers the figures differ from the ledger."""
    wrong, missing = 0, 0
    for key in ledger.minutes:
        found = figures.get(key, {})
        for window, (n, score) in found.items():
            right = ledger.window(key, MINUTES[window])
            wrong += n != right[0] or abs(score - right[1]) > 1e-6
        missing += ledger.count(key) - found.get("24h", NONE)[0]
    wrong += len(set(figures) - set(ledger.minutes))
    return "exact" if not (wrong or missing) else f"{wrong} windows wrong, {missing} answers missing"
