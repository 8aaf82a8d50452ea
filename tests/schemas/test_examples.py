"""Every topic has example messages, and each is what its type writes: nothing more, nothing less."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from schemas.alerts import Alert
from schemas.feedback import Event, decode
from schemas.scores import Pane
from schemas.scoring import SCALES, tally_from
from schemas.signals import SignalKind
from schemas.topics import ALERTS, EVENTS, PANES, TOPICS

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
TYPED = {topic.name: topic.message for topic in TOPICS if "internal" not in topic.message}
FILES = sorted(EXAMPLES.glob("*/*.json"))


def of(topic: str) -> list[bytes]:
    """The examples of a topic."""
    return [file.read_bytes() for file in FILES if file.parent.name == topic]


@pytest.mark.parametrize("topic", TYPED)
def test_every_json_topic_has_an_example(topic: str) -> None:
    assert of(topic)


def test_every_folder_of_examples_is_a_topic() -> None:
    assert {folder.name for folder in EXAMPLES.iterdir()} == set(TYPED)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_an_example_is_what_its_type_writes(file: Path) -> None:
    module, name = TYPED[file.parent.name].split(".")
    message = getattr(import_module(f"schemas.{module}"), name)

    decoded = msgspec.json.decode(file.read_bytes(), type=message)

    assert json.loads(msgspec.json.encode(decoded)) == json.loads(file.read_bytes())


@pytest.mark.parametrize("raw", of(EVENTS.name))
def test_an_example_of_an_answer_is_counted(raw: bytes) -> None:
    assert isinstance(decode(raw), Event)


@pytest.mark.parametrize("raw", of(PANES.name))
def test_an_example_of_a_pane_adds_up(raw: bytes) -> None:
    pane = msgspec.json.decode(raw, type=Pane)

    figures = msgspec.structs.astuple(tally_from(pane.metric, pane.hist))
    assert (pane.n, pane.sum, pane.sum_sq, pane.top, pane.bottom, pane.hist) == figures
    assert len(pane.hist) == SCALES[pane.metric].highest + 1


def test_examples_have_comments_in_polish_and_in_english() -> None:
    comments = {msgspec.json.decode(raw, type=Event).comment for raw in of(EVENTS.name)}

    assert any("ł" in comment for comment in comments)
    assert any("Thank you" in comment for comment in comments)


def test_examples_show_alerts_of_every_kind() -> None:
    alerts = [msgspec.json.decode(raw, type=Alert) for raw in of(ALERTS.name)]

    assert {alert.last_kind for alert in alerts} == set(get_args(SignalKind)) - {"aftermath"}
