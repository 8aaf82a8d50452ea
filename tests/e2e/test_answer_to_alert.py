"""The whole path on real processes: a posted answer becomes scores in ClickHouse and a message at a webhook."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from tests.stack import Stack, wait_for
from tests.webhook import Received, WebhookReceiver

SCORES_SECONDS = 2.0
"""From the 202 to `current_scores`."""
WEBHOOK_SECONDS = 1.0
"""From the 202 to the team's webhook."""


def touchpoint(name: str) -> str:
    """A touchpoint that no other test uses."""
    return f"{name}-{uuid4().hex[:8]}"


def scores(stack: Stack, name: str) -> dict[str, dict[str, Any]]:
    """The touchpoint's current scores by window."""
    rows = stack.query(f"SELECT * FROM feedback.current_scores WHERE touchpoint = '{name}'")
    return {row["window"]: row for row in rows}


def messages_about(webhook: WebhookReceiver, name: str) -> list[Received]:
    """What the webhook was told about a touchpoint."""
    return [request for request in webhook.requests if request.json()["data"]["touchpoint"] == name]


def test_a_bad_contact_reaches_scores_webhook_and_api(stack: Stack, session_webhook: WebhookReceiver) -> None:
    checkout = touchpoint("checkout")
    answer = {
        "touchpoint": checkout,
        "metric": "csat",
        "score": 1,
        "comment": "Nikt nie oddzwonił 😡",
        "agent": "agent-7",
        "customer_id": "c-42",
    }

    status, body = stack.post(answer)
    posted = time.time()

    assert (status, body) == (202, {"accepted": 1, "rejected": []})
    told = wait_for(lambda: messages_about(session_webhook, checkout), 10, "the webhook is told")
    assert told[0].at - posted <= WEBHOOK_SECONDS
    assert told[0].json()["data"]["comment"] == "Nikt nie oddzwonił 😡"
    wait_for(lambda: scores(stack, checkout), SCORES_SECONDS, "current_scores has the answer")
    assert {window: row["n"] for window, row in scores(stack, checkout).items()} == {
        "5m": 1,
        "1h": 1,
        "24h": 1,
        "7d": 1,
    }

    status, listed = stack.ask("alerts", "GET", f"/v1/alerts?touchpoint={checkout}")
    assert status == 200
    assert [(a["kind"], a["state"], a["customer_id"]) for a in listed["alerts"]] == [
        ("bad_contact", "firing", "c-42")
    ]
    rows = wait_for(
        lambda: stack.query(f"SELECT * FROM feedback.alerts FINAL WHERE touchpoint = '{checkout}'"),
        5,
        "ClickHouse has the alert",
    )
    assert rows[0]["alert_id"] == listed["alerts"][0]["alert_id"]
    assert len(messages_about(session_webhook, checkout)) == 1


def test_a_good_answer_alarms_nobody_and_all_metrics_have_scores(
    stack: Stack, session_webhook: WebhookReceiver
) -> None:
    chat = touchpoint("chat")
    best = {"csat": 5, "ces": 7, "nps": 10}
    stack.post([{"touchpoint": chat, "metric": metric, "score": score} for metric, score in best.items()])

    rows = wait_for(
        lambda: _all_if(
            stack.query(f"SELECT * FROM feedback.current_scores WHERE touchpoint = '{chat}'"), 12
        ),
        5,
        "four windows of three metrics",
    )

    assert {row["score"] for row in rows} == {100}
    assert all(row["score_low"] <= row["score"] <= row["score_high"] for row in rows)
    assert messages_about(session_webhook, chat) == []


def test_repeated_ids_count_once_and_bad_items_do_not_spoil_their_neighbours(stack: Stack) -> None:
    shop = touchpoint("shop")
    good = {"touchpoint": shop, "metric": "nps", "score": 9, "event_id": f"id-{shop}"}

    for _ in range(3):
        status, body = stack.post([good, {**good, "event_id": "x", "score": 11}, good])
        assert status == 202
        assert body["accepted"] == 2
        assert [(item["index"], item["reason"]) for item in body["rejected"]] == [(1, "score_out_of_range")]
    stack.post({**good, "event_id": f"last-{shop}"})

    wait_for(lambda: scores(stack, shop).get("1h", {}).get("n") == 2, 5, "two answers are counted")
    wait_for(lambda: raw_count(stack, shop) == 2, 5, "two raw answers")


def raw_count(stack: Stack, name: str) -> int:
    """How many raw answers ClickHouse shows for a touchpoint."""
    rows = stack.query(
        f"SELECT toUInt32(count()) AS n FROM feedback.events FINAL WHERE touchpoint = '{name}'"
    )
    return int(rows[0]["n"])


def test_a_drop_is_told_once_and_its_end_resolves_it(stack: Stack, session_webhook: WebhookReceiver) -> None:
    delivery = touchpoint("delivery")

    def answer(score: int, times: int) -> None:
        one = {"touchpoint": delivery, "metric": "csat", "score": score}
        status, _ = stack.post([one] * times)
        assert status == 202

    def drops() -> list[Any]:
        _, listed = stack.ask("alerts", "GET", f"/v1/alerts?touchpoint={delivery}&kind=drop")
        return list(listed["alerts"])

    answer(5, 300)
    answer(3, 40)
    firing = wait_for(drops, 5, "the drop is an alert")
    assert [alert["state"] for alert in firing] == ["firing"]
    assert firing[0]["value"] < firing[0]["baseline"] - 10

    answer(5, 200)
    wait_for(lambda: [a["state"] for a in drops()] == ["resolved"], 5, "the alert is resolved")
    types = wait_for(
        lambda: _all_if([r.json()["type"] for r in messages_about(session_webhook, delivery)], 2),
        5,
        "the webhook is told of both",
    )
    assert types == ["alert.firing", "alert.resolved"]


def test_rolling_scores_follow_the_answers_minute_by_minute(stack: Stack) -> None:
    support = touchpoint("support")
    stack.post([{"touchpoint": support, "metric": "ces", "score": score} for score in (7, 7, 1, 6)])

    rows = wait_for(
        lambda: stack.query(f"SELECT * FROM feedback.rolling_scores WHERE touchpoint = '{support}'"),
        5,
        "rolling_scores has the minute",
    )

    assert (rows[-1]["n_5m"], rows[-1]["score_5m"], rows[-1]["n_7d"]) == (4, 75, 4)
    assert rows[-1]["score_5m_low"] < 75 < rows[-1]["score_5m_high"]


def _all_if(found: list[Any], count: int) -> list[Any]:
    """What was found, once it is as much as expected."""
    return found if len(found) >= count else []
