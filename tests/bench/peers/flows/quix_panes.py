"""Quix Streams, the fairest form: minute panes and running totals in its per-key state, one update an answer.

Its hopping windows would touch 1,505 windows an answer (see quix_hopping). At least once, state with changelog
topics and a commit every 5 s, as they are by default.
"""

from __future__ import annotations

from typing import Any

from quixstreams import Application, State

from tests.bench.peers.flows.panes import EVENTS, counted, setting, update


def roll(answer: dict[str, Any], state: State) -> dict[str, Any]:
    """Count one answer; Quix keeps the state by the message's key, which is the touchpoint."""
    now = counted(state.get(answer["metric"]), answer)
    state.set(answer["metric"], now)
    return update(answer["touchpoint"], answer["metric"], now)


def main() -> None:
    """Run until told to stop."""
    app = Application(
        broker_address=setting("BOOTSTRAP"),
        consumer_group=setting("OUTPUT"),
        auto_offset_reset="earliest",
        state_dir=setting("STATE"),
        loglevel="WARNING",
    )
    answers = app.dataframe(app.topic(EVENTS, key_deserializer="str", value_deserializer="json"))
    output = app.topic(setting("OUTPUT"), key_serializer="str", value_serializer="json")
    answers.apply(roll, stateful=True).to_topic(output, key=lambda v: f"{v['touchpoint']}/{v['metric']}")
    app.run()


if __name__ == "__main__":
    main()
