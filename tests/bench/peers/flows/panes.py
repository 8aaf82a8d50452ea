"""The rolling windows as a user of a stream processor would keep them by hand: minute panes in per-key state.

Needs the standard library only. The state is a plain dict that JSON and pickle can carry:
`now` the newest minute, `panes` counts by minute, `totals` counts by window; counts are [answers, good answers].
Each answer costs the same for any window, which no engine's own hopping window offers.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, TypedDict

WINDOW_MINUTES = {"5m": 5, "1h": 60, "24h": 1440}
GOOD_FROM = {"csat": 4, "ces": 5}
EVENTS = "feedback.events"


class State(TypedDict):
    """What is kept of one touchpoint and metric."""

    now: int
    panes: dict[str, list[int]]
    totals: dict[str, list[int]]


def setting(name: str) -> str:
    """What the benchmark told this process: BOOTSTRAP, OUTPUT (the topic of the updates) or STATE (a folder)."""
    return os.environ[f"PEERS_{name}"]


def minute_of(answer: dict[str, Any]) -> int:
    """The minute since 1970 in which the customer answered."""
    return int(datetime.fromisoformat(answer["occurred_at"]).timestamp()) // 60


def is_good(answer: dict[str, Any]) -> int:
    """1 for an answer that counts towards the share, else 0."""
    return int(answer["score"] >= GOOD_FROM[answer["metric"]])


def counted(state: State | None, answer: dict[str, Any]) -> State:
    """The state with this answer in its pane and in every window that reaches back to it."""
    minute, good = minute_of(answer), is_good(answer)
    if state is None:
        state = {"now": minute, "panes": {}, "totals": {window: [0, 0] for window in WINDOW_MINUTES}}
    if minute > state["now"]:
        _advance(state, minute)
    pane = state["panes"].setdefault(str(minute), [0, 0])
    pane[0] += 1
    pane[1] += good
    for window, total in state["totals"].items():
        if minute > state["now"] - WINDOW_MINUTES[window]:
            total[0] += 1
            total[1] += good
    return state


def _advance(state: State, minute: int) -> None:
    panes, before = state["panes"], state["now"]
    for window, length in WINDOW_MINUTES.items():
        total = state["totals"][window]
        for left in range(before - length + 1, minute - length + 1):
            gone = panes.get(str(left), (0, 0))
            total[0] -= gone[0]
            total[1] -= gone[1]
    for left in range(before - 1439, minute - 1439):
        panes.pop(str(left), None)
    state["now"] = minute


def update(touchpoint: str, metric: str, state: State) -> dict[str, Any]:
    """The message for the output topic."""
    message: dict[str, Any] = {"touchpoint": touchpoint, "metric": metric}
    for window, (n, good) in state["totals"].items():
        message[f"n_{window}"] = n
        message[f"score_{window}"] = 100 * good / n if n else 0.0
    return message
