"""Compares the topics that a cluster has with those that schemas.topics declares, and says so in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from schemas.topics import Topic


class Existing(Struct, frozen=True):
    """A topic as the cluster has it: its number of partitions and the settings in force."""

    partitions: int
    config: Mapping[str, str]


class Difference(Struct, frozen=True):
    """How a topic differs from its declaration: `config` is what has to be set, `partitions` what it has."""

    topic: Topic
    missing: bool
    config: Mapping[str, str]
    partitions: int

    @property
    def wrong_partitions(self) -> bool:
        """Whether a person has to act: partitions are never changed."""
        return self.partitions != self.topic.partitions


def compare(declared: Iterable[Topic], existing: Mapping[str, Existing]) -> list[Difference]:
    """What differs. Settings that the contract does not name are an operator's own and are left alone."""
    return [different for topic in declared if (different := _compare(topic, existing.get(topic.name)))]


def _compare(topic: Topic, found: Existing | None) -> Difference | None:
    if found is None:
        return Difference(topic, missing=True, config=topic.config, partitions=topic.partitions)
    config = {name: value for name, value in topic.config.items() if found.config.get(name) != value}
    if not config and found.partitions == topic.partitions:
        return None
    return Difference(topic, missing=False, config=config, partitions=found.partitions)


def sentence(difference: Difference) -> str:
    """What is done about a difference, and what is left for a person to do."""
    topic = difference.topic
    if difference.missing:
        return f"{topic.name}: made, {topic.partitions} partitions"
    said = [f"{name} set to {value}" for name, value in difference.config.items()]
    if difference.wrong_partitions:
        said.append(
            f"has {difference.partitions} partitions instead of {topic.partitions}, which is left as it is: "
            "another number would part touchpoints from their state, so delete the topic while it is empty"
        )
    return f"{topic.name}: {', '.join(said)}"
