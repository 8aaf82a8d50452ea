"""rules.toml on alerts: which are meant, and how wrong ones are told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.routing import Match, Routing
from schemas.rules import RulesError, read
from tests.alerts.examples import BAD, DROP, opened

RECEIVER = '[[receiver]]\nname = "desk"\nkind = "webhook"\nurl = "https://desk.example/"\n'
WRONG = [
    (RECEIVER + RECEIVER, "line 6: receiver[1].name: there is a receiver 'desk' before"),
    (RECEIVER + '[[route]]\nreceivers = ["dusk"]', "line 6: route[0].receivers: there is no receiver 'dusk'"),
    ('[[route]]\nkinds = ["drip"]', "line 2: route[0].kinds[0]: must be one of bad_contact, drop, repeat"),
    ('[[route]]\nseverity = "bad"', "line 2: route[0].severity: must be one of info, warning, critical"),
    ("[[route]]\nescalate_after_minutes = 5", "line 1: route[0].escalate_to: give escalate_to and"),
    (
        RECEIVER + '[[route]]\nalert = false\nreceivers = ["desk"]',
        "line 6: route[0].alert: what becomes no alert can be told to nobody",
    ),
    ('[[route]]\n\n[[route]]\nteam = "billing"', "line 3: route[1]: is never reached: route[0] takes all"),
    (
        '[[route]]\ntouchpoint = "web.*"\n[[route]]\ntouchpoint = "web.checkout"\nkinds = ["drop"]',
        "line 3: route[1]: is never reached",
    ),
    ('[digest]\nat = "24:00"', "line 2: digest.at: must be a time of day such as 07:30"),
    ('[digest]\ntime_zone = "Mars"', "line 2: digest.time_zone: is not a time zone such as Europe/Warsaw"),
    ('[[quiet]]\ntime_zone = "../etc"', "line 2: quiet[0].time_zone: is not a time zone"),
    ('[[quiet]]\nfrom = "7"', "line 2: quiet[0].from: must be a time of day"),
    ('[[quiet]]\ndays = ["Monday"]', "line 2: quiet[0].days[0]: must be one of mon, tue"),
    ("[time_out]\ndrop_days = -1", "line 2: time_out.drop_days: must be a number >= 0.0"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(RulesError, match=rf"\A{re.escape(said)}"):
        read(text)


def test_an_empty_file_means_the_defaults() -> None:
    assert read("").routing == Routing()


def test_a_route_that_goes_on_hides_none_behind_it() -> None:
    routes = read('[[route]]\ncontinue = true\n[[route]]\nkinds = ["drop"]').routing.route

    assert [route.also for route in routes] == [True, False]


matches = st.builds(
    Match,
    kinds=st.sampled_from([(), ("drop",), ("drop", "bad_contact")]),
    severities=st.sampled_from([(), ("critical",)]),
    metric=st.sampled_from(["*", "csat", "nps"]),
    touchpoint=st.sampled_from(["*", "check*", "checkout", "web"]),
    team=st.sampled_from(["*", "billing", "b*"]),
)
alerts = st.builds(
    lambda alert, touchpoint, team: replace(alert, touchpoint=touchpoint, team=team),
    st.sampled_from([opened(BAD), opened(DROP)]),
    st.sampled_from(["checkout", "web", "check-in"]),
    st.sampled_from(["billing", "sales", ""]),
)


@given(matches, matches, alerts)
def test_what_covers_another_matches_all_that_it_matches(wide: Match, narrow: Match, alert: object) -> None:
    assert not (wide.covers(narrow) and narrow.matches(alert) and not wide.matches(alert))  # type: ignore[arg-type]
