"""The words people get, whole, so that a change of wording is seen in review."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from msgspec.structs import replace

from schemas.signals import Contact
from services.alerts.lifecycle import step
from services.alerts.message import bad_contact_words, drop_words, recovered_words, repeat_words
from tests.alerts.examples import BAD, CONTACT, DROP, FALLEN, NOW, OVER, RECOVERED, REPEAT

BARE = Contact(event_id="e-2", score=6, occurred_at=CONTACT.occurred_at, received_at=CONTACT.received_at)


def test_a_bad_contact() -> None:
    words = bad_contact_words(BAD)
    assert words.title == "Bad contact at checkout: CSAT 1 of 5"
    assert words.message.splitlines() == [
        "A customer was not satisfied at checkout: CSAT 1 of 5, on 2 Mar 2026, 11:59 UTC.",
        "Handled by Ana (team billing) via chat.",
        "They wrote: “Nobody could help me.”",
        "What to do: get in touch with customer c-42 about interaction i-9 while it is still fresh.",
    ]


def test_a_bad_contact_of_which_little_is_known() -> None:
    words = bad_contact_words(replace(BAD, metric="nps", contact=BARE))
    assert words.message.splitlines() == [
        "A customer would not recommend you at checkout: NPS 6 of 10, on 2 Mar 2026, 11:59 UTC.",
        "What to do: get in touch with an unnamed customer while it is still fresh.",
    ]


def test_a_repeated_bad_contact() -> None:
    words = repeat_words(REPEAT)
    assert words.title == "Second bad contact of customer c-42"
    assert words.message.splitlines() == [
        "Customer c-42 had a second bad contact: CSAT 1 of 5 at checkout, on 2 Mar 2026, 11:59 UTC.",
        "Handled by Ana (team billing) via chat.",
        "They wrote: “Nobody could help me.”",
        "Their other bad contacts of these weeks:",
        "- NPS 3 of 10 at shop, on 26 Feb 2026, 12:00 UTC, handled by Bo (team sales)",
        "Why it matters: 19 % of customers leave after one bad contact, 76 % after the second.",
        "What to do: call customer c-42 today about interaction i-9, and have one person settle all of it."
        " One more message will say when they are satisfied again.",
    ]


def test_the_fifth_bad_contact() -> None:
    words = repeat_words(replace(REPEAT, history=REPEAT.history * 4))
    assert words.title == "5th bad contact of customer c-42"


def test_a_customer_who_is_satisfied_again() -> None:
    words = recovered_words(RECOVERED)
    assert words.title == "Customer c-42 is satisfied again"
    assert words.message.splitlines() == [
        "Customer c-42 gave a good answer again: CES 7 of 7 at chat, 5 days after the first bad contact.",
        "What had gone badly:",
        "- NPS 3 of 10 at shop, on 26 Feb 2026, 12:00 UTC, handled by Bo (team sales)",
        "- CSAT 1 of 5 at checkout, on 2 Mar 2026, 12:00 UTC",
        "Nothing more to do.",
    ]


def test_a_drop() -> None:
    words = drop_words(DROP, FALLEN)
    assert words.title == "CSAT at checkout dropped from 86 % to 62 %"
    assert words.message.splitlines() == [
        "Since 2 Mar 2026, 11:35 UTC, CSAT at checkout is about 62 % instead of its usual 86 %:"
        " 24 points lower. CSAT is the share of customers who were satisfied (4 or 5 of 5).",
        "How sure: if nothing had changed, so many bad answers would come together by chance about once in"
        " 13 months. Going by 41 answers, the score now lies between 48 % and 73 % (90 % interval).",
        "The answer that raised this alert: 1 of 5 from customer c-42, on 2 Mar 2026, 11:59 UTC.",
        "Handled by Ana (team billing) via chat.",
        "They wrote: “Nobody could help me.”",
        "What to do: find out what changed at checkout at that time (a release, an outage, a new script,"
        " too few people), and get in touch with this customer."
        " One more message will say when it is over.",
    ]


def test_a_drop_whose_depth_is_uncertain_says_so() -> None:
    words = drop_words(replace(DROP, metric="nps", contact=BARE), replace(FALLEN, high=90.0, n=1))
    assert words.title == "NPS at checkout dropped from 86 to 62"
    assert words.message.splitlines()[1] == (
        "How sure: if nothing had changed, so many bad answers would come together by chance about once in"
        " 13 months. Going by 1 answer, the score now lies between 48 and 90 (90 % interval):"
        " how deep the drop is remains to be seen."
    )


def test_the_end_of_a_drop() -> None:
    over = step(step(None, DROP, NOW).alert, OVER, NOW).alert
    assert over is not None
    assert over.title == "CSAT at checkout has recovered to 84 %"
    assert over.message.splitlines() == [
        "The drop is over after 95 minutes: CSAT at checkout is about 84 % again"
        " (between 75 % and 90 %, from 38 answers).",
        "It was 62 % when the alert was raised; usual is 86 %.",
        "Nothing more to do.",
    ]


@pytest.mark.parametrize(
    ("lasted", "words"),
    [
        (timedelta(seconds=3), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=26), "26 hours"),
        (timedelta(days=4), "4 days"),
        (timedelta(days=-1), "1 minute"),
    ],
)
def test_the_end_of_a_drop_without_figures_says_how_long_it_was(lasted: timedelta, words: str) -> None:
    over = step(step(None, DROP, NOW).alert, replace(OVER, drop=None, at=NOW + lasted), NOW).alert
    assert over is not None
    assert over.title == "CSAT at checkout has recovered"
    assert over.message.startswith(f"The drop is over after {words}. It was 62 %")


@pytest.mark.parametrize(
    ("contact", "line"),
    [
        (replace(BARE, agent="Ana"), "Handled by Ana."),
        (replace(BARE, team="billing", channel="phone"), "Handled by team billing via phone."),
        (replace(BARE, channel="phone"), "Handled via phone."),
        (replace(BARE, comment="x" * 301), f"They wrote: “{'x' * 300}…”"),
    ],
)
def test_only_what_is_known_is_said(contact: Contact, line: str) -> None:
    assert bad_contact_words(replace(BAD, contact=contact)).message.splitlines()[1] == line


def test_times_are_told_in_utc() -> None:
    abroad = CONTACT.occurred_at.astimezone(timezone(timedelta(hours=9)))
    assert bad_contact_words(replace(BAD, contact=replace(CONTACT, occurred_at=abroad))) == bad_contact_words(
        BAD
    )
