"""What libraries say is said once in a while, not ten times a second."""

from __future__ import annotations

import logging

from services.operations.logs import SPELL_SECONDS, OncePerSpell


def said(filter_: OncePerSpell, message: str, at: float, name: str = "aiokafka") -> bool:
    record = logging.LogRecord(name, logging.ERROR, "file", 1, message, ("127.0.0.1",), None)
    record.created = at
    return filter_.filter(record)


def test_the_same_thing_is_said_again_only_after_a_while() -> None:
    filter_ = OncePerSpell()

    heard = [
        said(filter_, "Unable to connect to %s", at) for at in (0.0, 0.1, SPELL_SECONDS - 0.1, SPELL_SECONDS)
    ]

    assert heard == [True, False, False, True]


def test_other_things_and_other_libraries_are_heard_at_once() -> None:
    filter_ = OncePerSpell()

    assert said(filter_, "Unable to connect to %s", 0.0)
    assert said(filter_, "Group coordinator dead", 0.1)
    assert said(filter_, "Unable to connect to %s", 0.1, name="faust")
