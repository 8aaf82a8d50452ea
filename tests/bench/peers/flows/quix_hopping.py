"""Quix Streams, the idiomatic form: its own hopping windows of 5 min, 1 h and 24 h at one-minute hops.

That is 5 + 60 + 1,440 windows an answer. `current()` tells every one of them that an answer has changed; only
the one that ends with the answer's minute is a rolling score, and only that is sent on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from quixstreams import Application

from tests.bench.peers.flows.panes import EVENTS, WINDOW_MINUTES, is_good, minute_of, setting

MINUTE_MS = 60_000


def occurred_ms(answer: dict[str, Any], *_: Any) -> int:
    """Event time, instead of the time in Kafka's log."""
    return int(datetime.fromisoformat(answer["occurred_at"]).timestamp() * 1000)


def first(answer: dict[str, Any]) -> dict[str, Any]:
    """A window with its first answer."""
    return {
        "touchpoint": answer["touchpoint"],
        "metric": answer["metric"],
        "n": 1,
        "good": is_good(answer),
        "minute": minute_of(answer),
    }


def more(window: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """A window with one more answer."""
    window["n"] += 1
    window["good"] += is_good(answer)
    window["minute"] = minute_of(answer)
    return window


def ends_now(result: dict[str, Any]) -> bool:
    """Whether the window ends with its newest answer's minute."""
    return bool(result["end"] == (result["value"]["minute"] + 1) * MINUTE_MS)


def score(name: str, result: dict[str, Any]) -> dict[str, Any]:
    """The message for the output topic."""
    value = result["value"]
    return {
        "touchpoint": value["touchpoint"],
        "metric": value["metric"],
        "window": name,
        "n": value["n"],
        "score": 100 * value["good"] / value["n"],
    }


def main() -> None:
    """Run until told to stop."""
    app = Application(
        broker_address=setting("BOOTSTRAP"),
        consumer_group=setting("OUTPUT"),
        auto_offset_reset="earliest",
        state_dir=setting("STATE"),
        loglevel="WARNING",
    )
    source = app.topic(
        EVENTS, key_deserializer="str", value_deserializer="json", timestamp_extractor=occurred_ms
    )
    output = app.topic(setting("OUTPUT"), key_serializer="str", value_serializer="json")
    answers = app.dataframe(source)
    for name, minutes in WINDOW_MINUTES.items():
        windows = answers.hopping_window(minutes * MINUTE_MS, MINUTE_MS).reduce(
            reducer=more, initializer=first
        )
        ending = windows.current().filter(ends_now)
        ending.apply(lambda result, name=name: score(name, result)).to_topic(
            output, key=lambda v: f"{v['touchpoint']}/{v['metric']}"
        )
    app.run()


if __name__ == "__main__":
    main()
