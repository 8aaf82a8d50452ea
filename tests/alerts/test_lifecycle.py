"""What each signal does to an alert in each state."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from schemas.alerts import Alert
from schemas.signals import Signal
from services.alerts.lifecycle import KEPT, Transition, alert_id_of, is_forgettable, step, told
from tests.alerts.examples import (
    AFTERMATH,
    BACK,
    BAD,
    CONTACT,
    DROP,
    FALLEN,
    NOW,
    OVER,
    RECOVERED,
    REPEAT,
    opened,
)

LATER = NOW + timedelta(minutes=96)


FIRING = opened(DROP)
CONTACTED = opened(BAD)
REPEATED = opened(REPEAT)
ACKNOWLEDGED = replace(FIRING, state="acknowledged", version=2)
RESOLVED = step(FIRING, OVER, LATER).alert
assert RESOLVED is not None


@pytest.mark.parametrize(
    ("before", "signal", "reason", "state"),
    [
        (None, BAD, Transition.OPENED, "firing"),
        (None, DROP, Transition.OPENED, "firing"),
        (None, OVER, Transition.UNMATCHED, None),
        (CONTACTED, BAD, Transition.REPEATED, "firing"),
        (CONTACTED, OVER, Transition.UNMATCHED, "firing"),
        (FIRING, DROP, Transition.REPEATED, "firing"),
        (FIRING, OVER, Transition.RESOLVED, "resolved"),
        (ACKNOWLEDGED, DROP, Transition.REPEATED, "acknowledged"),
        (ACKNOWLEDGED, OVER, Transition.RESOLVED, "resolved"),
        (RESOLVED, DROP, Transition.REPEATED, "resolved"),
        (RESOLVED, OVER, Transition.REPEATED, "resolved"),
        (None, REPEAT, Transition.OPENED, "firing"),
        (None, RECOVERED, Transition.UNMATCHED, None),
        (None, AFTERMATH, Transition.UNMATCHED, None),
        (REPEATED, replace(REPEAT, id="a third"), Transition.REPEATED, "firing"),
        (REPEATED, RECOVERED, Transition.RESOLVED, "resolved"),
        (REPEATED, OVER, Transition.UNMATCHED, "firing"),
        (CONTACTED, RECOVERED, Transition.RESOLVED, "resolved"),
        (FIRING, RECOVERED, Transition.UNMATCHED, "firing"),
        (RESOLVED, replace(DROP, id="another"), Transition.REPEATED, "resolved"),
    ],
)
def test_step(before: Alert | None, signal: Signal, reason: Transition, state: str | None) -> None:
    taken = step(before, signal, LATER)
    assert taken.reason is reason
    assert (taken.alert.state if taken.alert else None) == state
    if reason in (Transition.REPEATED, Transition.UNMATCHED):
        assert taken.alert is before
        assert taken.changed is None


def test_a_bad_contact_is_a_warning_with_the_answer_as_its_value() -> None:
    assert (CONTACTED.kind, CONTACTED.severity, CONTACTED.value, CONTACTED.version) == (
        "bad_contact",
        "warning",
        1.0,
        1,
    )
    assert (CONTACTED.team, CONTACTED.agent, CONTACTED.customer_id) == ("billing", "Ana", "c-42")
    assert (CONTACTED.delivery, CONTACTED.opened_at, CONTACTED.changed_at) == ("pending", BAD.at, NOW)


def test_a_drop_is_critical_and_has_the_figures_of_the_drop() -> None:
    assert (FIRING.kind, FIRING.severity) == ("drop", "critical")
    assert (FIRING.value, FIRING.baseline, FIRING.n) == (FALLEN.level, FALLEN.baseline, FALLEN.n)


def test_a_repeated_bad_contact_is_critical_and_its_end_is_told() -> None:
    over = step(replace(REPEATED, delivery="delivered"), RECOVERED, LATER).alert

    assert (REPEATED.kind, REPEATED.severity, REPEATED.customer_id) == (
        "repeat_bad_contact",
        "critical",
        "c-42",
    )
    assert over is not None
    assert (over.alert_id, over.state, over.delivery) == (REPEATED.alert_id, "resolved", "pending")
    assert (over.touchpoint, over.value, over.last_kind) == ("checkout", 1.0, "recovered")


def test_the_end_of_a_drop_keeps_who_it_was_about_and_is_told_again() -> None:
    over = step(
        replace(FIRING, delivery="delivered"), replace(OVER, contact=replace(CONTACT, agent="Bo")), LATER
    )
    assert over.alert is not None
    assert (over.alert.agent, over.alert.opened_at, over.alert.changed_at) == ("Ana", FIRING.opened_at, LATER)
    assert (over.alert.delivery, over.alert.version, over.alert.value) == ("pending", 2, BACK.level)
    assert (over.alert.last_signal, over.alert.last_kind) == (OVER.id, "drop_over")


def test_the_id_comes_from_workspace_and_incident_only() -> None:
    assert alert_id_of(DROP) == alert_id_of(OVER) == FIRING.alert_id
    assert len(FIRING.alert_id) == 32
    assert alert_id_of(DROP) != alert_id_of(replace(DROP, workspace="other"))
    assert alert_id_of(DROP) != alert_id_of(replace(DROP, incident="drop/checkout/8"))


def test_an_outcome_counts_for_the_state_that_was_told_only() -> None:
    assert RESOLVED is not None
    done = told(FIRING, FIRING, "delivered", "", LATER)
    assert done is not None
    assert (done.delivery, done.version, done.changed_at) == ("delivered", 2, LATER)
    assert told(RESOLVED, FIRING, "delivered", "", LATER) is None
    assert told(done, FIRING, "dropped", "HTTP 410", LATER) is None


@pytest.mark.parametrize(
    ("alert", "forgettable"),
    [
        (replace(CONTACTED, delivery="delivered"), True),
        (replace(CONTACTED, delivery="not_configured"), True),
        (replace(CONTACTED, delivery="dropped"), True),
        (CONTACTED, False),
        (replace(REPEATED, delivery="delivered"), True),
        (replace(FIRING, delivery="delivered"), False),
        (replace(ACKNOWLEDGED, delivery="delivered"), False),
        (replace(RESOLVED, delivery="delivered"), True),
        (RESOLVED, False),
    ],
)
def test_old_alerts_are_forgotten_once_nobody_needs_them(alert: Alert, forgettable: bool) -> None:
    assert not is_forgettable(alert, alert.changed_at + KEPT)
    assert is_forgettable(alert, alert.changed_at + KEPT + timedelta(seconds=1)) == forgettable
