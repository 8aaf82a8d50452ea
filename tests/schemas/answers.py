"""Posted answers for tests: any that are accepted, and the moment and sender they come with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from schemas.feedback import Arrival
from schemas.scoring import METRICS, SCALES

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ARRIVAL = Arrival(workspace="default", received_at=NOW, imported=False, event_id="made-by-the-server")
HISTORY = Arrival(workspace="default", received_at=NOW, imported=True, event_id="made-by-the-server")

VALID: dict[str, Any] = {"touchpoint": "web.checkout", "metric": "csat", "score": 4}


@st.composite
def posted_answers(draw: st.DrawFn) -> dict[str, Any]:
    """An answer that is accepted when it arrives at NOW."""
    metric = draw(st.sampled_from(METRICS))
    slugs = st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,63}\Z")
    names = st.text(max_size=128)
    ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
    ago = st.timedeltas(min_value=timedelta(minutes=-5), max_value=timedelta(days=7))
    required = {
        "touchpoint": slugs,
        "metric": st.just(metric),
        "score": st.integers(SCALES[metric].lowest, SCALES[metric].highest),
    }
    optional = {
        "event_id": ids,
        "occurred_at": ago.map(lambda some: (NOW - some).isoformat()),
        "interaction_id": names,
        "customer_id": names,
        "agent": names,
        "comment": st.text(max_size=300),
        "tags": st.dictionaries(st.text(max_size=64), st.text(max_size=256), max_size=4),
    }
    return draw(st.fixed_dictionaries(required, optional=optional))
