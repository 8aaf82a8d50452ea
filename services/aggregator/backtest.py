"""What-if: folds past answers under other rules, as the windows worker would have, and says what it had noticed.

`python -m services.aggregator.backtest RULES_FILE` reads messages of feedback.events from stdin, in the order of their
arrival, and writes lines of schemas.backtest to stdout. Imported answers only teach.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from aiokafka.partitioner import murmur2

from schemas.backtest import Said, Summary
from schemas.feedback import Event, decode, topic_key
from schemas.rules import DAYS_PER_MONTH, Rules, RulesError, parse
from schemas.signals import Signal
from schemas.topics import EVENTS
from services.aggregator.baseline import DAY_SECONDS
from services.aggregator.exits import Exit
from services.aggregator.panes import SeriesId
from services.aggregator.partition import Partition
from services.aggregator.rules import Ruling, live_series

MONTH_SECONDS = DAYS_PER_MONTH * DAY_SECONDS


class Backtest:
    """The partitions of the topic, and what has been counted over all of them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._partitions = [Partition(number, 0) for number in range(EVENTS.partitions)]
        self._day_ends = 0.0
        self._refused = self._repeated = self._taught = self._bad = self._drops = self._answers = 0
        self._alive: set[SeriesId] = set()
        self._spans: dict[SeriesId, tuple[float, float]] = {}
        """When each series was first and last watched, in seconds since 1970."""

    def take(self, message: bytes) -> list[Signal]:
        """Fold one message; the drops, and ends of drops, that it brought to light."""
        event = decode(message)
        if not isinstance(event, Event):
            self._refused += 1
            return []
        arrived = event.received_at.timestamp()
        if arrived >= self._day_ends:
            self._begin_day(arrived)
        partition = self._partition_of(event)
        outcome = partition.apply(partition.next, message, arrived)
        self._repeated += outcome != "counted"
        if outcome == "counted":
            self._count(event, arrived, partition)
        signals = partition.take_signals()
        self._bad += sum(signal.kind == "bad_contact" for signal in signals)
        self._drops += sum(signal.kind == "drop" for signal in signals)
        return [signal for signal in signals if signal.kind in ("drop", "drop_over")]

    def summary(self) -> Summary:
        """What was counted so far."""
        months = {name: (last - first) / MONTH_SECONDS for name, (first, last) in self._spans.items()}
        ruling = self._ruling()
        return Summary(
            answers=self._answers,
            taught=self._taught,
            refused=self._refused,
            repeated=self._repeated,
            bad_contacts=self._bad,
            drops=self._drops,
            series=len(self._alive),
            watched=len(months),
            watched_months=sum(months.values()),
            false_alarms=sum(span / ruling.policy_of(name).budget_months for name, span in months.items()),
        )

    def _partition_of(self, event: Event) -> Partition:
        """Where Kafka's clients put it: touchpoints of one partition and metric learn from each other."""
        key = topic_key(event.workspace, event.touchpoint)
        number: int = (murmur2(key) & 0x7FFFFFFF) % EVENTS.partitions
        return self._partitions[number]

    def _count(self, event: Event, arrived: float, partition: Partition) -> None:
        if event.imported:
            self._taught += 1
            return
        self._answers += 1
        series = partition.series[event.workspace, event.touchpoint, event.metric]
        self._alive.add(series.id)
        if series.detector.baseline.answers > series.policy.warm_up_answers:
            first, _ = self._spans.get(series.id, (arrived, arrived))
            self._spans[series.id] = (first, arrived)

    def _ruling(self) -> Ruling:
        live = sum(live_series(one.series.values(), one.newest_received) for one in self._partitions)
        return self._partitions[0].rulings.newest.revised(self._rules, live)

    def _begin_day(self, arrived: float) -> None:
        """Let go of what is old, and count live touchpoints anew."""
        self._day_ends = (arrived // DAY_SECONDS + 1) * DAY_SECONDS
        ruling = self._ruling()
        for partition in self._partitions:
            partition.take_outputs()
            partition.take_unsaved()
            partition.note_commit(partition.next)
            partition.forget()
            if ruling != partition.rulings.newest:
                partition.rulings.add(partition.next, ruling)


def said(rules: Rules, messages: Iterable[bytes]) -> Iterator[Said]:
    """What there is to say of these messages, and the summary."""
    backtest = Backtest(rules)
    for message in messages:
        for signal in backtest.take(message):
            yield Said(signal=signal)
    yield Said(summary=backtest.summary())


def main(arguments: list[str]) -> None:
    """Read stdin to its end."""
    try:
        (file,) = arguments
        rules = parse(Path(file).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        wrong = error if isinstance(error, RulesError | OSError) else "give one file of rules"
        print(f"backtest: {wrong}", file=sys.stderr)
        sys.exit(Exit.MISCONFIGURED)
    for line in said(rules, sys.stdin.buffer):
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
