"""Signals to start from; each test changes what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.alerts import Alert
from schemas.keys import Key, KeyRing, Scope, digest
from schemas.signals import Aftermath, Contact, Contributor, Drop, PastContact, Signal
from services.alerts.lifecycle import step

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

CONTACT = Contact(
    event_id="e-1",
    score=1,
    occurred_at=NOW - timedelta(seconds=2),
    received_at=NOW - timedelta(seconds=1),
    interaction_id="i-9",
    customer_id="c-42",
    channel="chat",
    agent="Ana",
    team="billing",
    comment="Nobody\ncould help me.",
)
BEGAN = NOW - timedelta(minutes=25)
FALLEN = Drop(
    since=BEGAN,
    baseline=86.4,
    level=61.7,
    low=48.2,
    high=73.1,
    n=41,
    began=BEGAN,
    evidence_months=12.8,
    budget_months=12.0,
    contributors=(Contributor(dimension="channel", value="app", n=15, level=20.0, share=0.98),),
)
BACK = Drop(
    since=BEGAN,
    baseline=86.4,
    level=84.2,
    low=75.0,
    high=90.0,
    n=38,
    began=BEGAN,
    evidence_months=12.8,
    budget_months=12.0,
)

BAD = Signal(
    id="s-1",
    kind="bad_contact",
    workspace="acme",
    touchpoint="checkout",
    metric="csat",
    at=NOW,
    incident="bad/e-1",
    contact=CONTACT,
)
DROP = Signal(
    id="s-2",
    kind="drop",
    workspace="acme",
    touchpoint="checkout",
    metric="csat",
    at=NOW,
    incident="drop/checkout/7",
    contact=CONTACT,
    drop=FALLEN,
)
OVER = Signal(
    id="s-3",
    kind="drop_over",
    workspace="acme",
    touchpoint="checkout",
    metric="csat",
    at=NOW + timedelta(minutes=95),
    incident="drop/checkout/7",
    contact=CONTACT,
    drop=BACK,
)
PAST = PastContact(
    touchpoint="shop",
    metric="nps",
    score=3,
    occurred_at=NOW - timedelta(days=4),
    event_id="e-0",
    agent="Bo",
    team="sales",
)
REPEAT = Signal(
    id="s-4",
    kind="repeat_bad_contact",
    workspace="acme",
    touchpoint="checkout",
    metric="csat",
    at=NOW,
    incident="repeat/e-1",
    contact=CONTACT,
    history=(PAST,),
)
AFTERMATH = Signal(
    id="s-6",
    kind="aftermath",
    workspace="acme",
    touchpoint="checkout",
    metric="csat",
    at=NOW,
    incident="aftermath/checkout/csat/e-1",
    contact=CONTACT,
    history=(PAST,),
    aftermath=Aftermath(
        since=NOW - timedelta(days=40),
        usual=71.3,
        level=43.5,
        low=35.9,
        high=51.1,
        n=115,
        evidence_months=12.4,
        budget_months=12.0,
    ),
)
RECOVERED = Signal(
    id="s-5",
    kind="recovered",
    workspace="acme",
    touchpoint="chat",
    metric="ces",
    at=NOW + timedelta(days=1),
    incident="repeat/e-1",
    contact=Contact(
        event_id="e-5",
        score=7,
        occurred_at=NOW + timedelta(days=1),
        received_at=NOW + timedelta(days=1),
        customer_id="c-42",
    ),
    history=(
        PAST,
        PastContact(touchpoint="checkout", metric="csat", score=1, occurred_at=NOW, event_id="e-1"),
    ),
    took_seconds=5 * 86_400.0,
)


def opened(signal: Signal) -> Alert:
    """The alert this signal opens."""
    alert = step(None, signal, NOW).alert
    assert alert is not None
    return alert


def key(secret: str, scopes: list[Scope], workspace: str = "acme") -> Key:
    return Key(name=secret, sha256=digest(secret), workspace=workspace, scopes=scopes)


KEYS = [
    key("sk_reader", ["read"]),
    key("sk_writer", ["write"]),
    key("sk_other", ["read"], "other"),
]
RING = KeyRing({k.sha256: k for k in KEYS})
