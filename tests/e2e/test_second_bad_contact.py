"""A customer is let down twice at different touchpoints, and then helped: one alert, and its end."""

from __future__ import annotations

from typing import Any

from tests.e2e.test_answer_to_alert import scores, touchpoint
from tests.stack import Stack, wait_for
from tests.webhook import WebhookReceiver


def told(webhook: WebhookReceiver, customer: str, kind: str) -> list[Any]:
    """What the webhook was told of this customer's alerts of a kind."""
    bodies = [request.json() for request in webhook.requests]
    return [
        body for body in bodies if (body["data"]["customer_id"], body["data"]["kind"]) == (customer, kind)
    ]


def test_the_second_bad_contact_is_told_once_and_a_good_answer_resolves_it(
    stack: Stack, session_webhook: WebhookReceiver
) -> None:
    chat, shop = touchpoint("chat"), touchpoint("shop")
    who = {"customer_id": f"c-{chat}"}
    stack.post({"touchpoint": chat, "metric": "csat", "score": 1, "agent": "ewa", **who})
    wait_for(lambda: scores(stack, chat), 10, "the first is published, for the customers worker, too")

    stack.post({"touchpoint": shop, "metric": "nps", "score": 2, **who})
    repeats = wait_for(
        lambda: told(session_webhook, who["customer_id"], "repeat_bad_contact"), 10, "the repeat is told"
    )
    assert repeats[0]["type"] == "alert.firing"
    assert repeats[0]["data"]["touchpoint"] == shop
    assert f"CSAT 1 of 5 at {chat}" in repeats[0]["data"]["message"]
    assert "handled by ewa" in repeats[0]["data"]["message"]

    stack.post({"touchpoint": chat, "metric": "csat", "score": 5, **who})

    wait_for(
        lambda: len(told(session_webhook, who["customer_id"], "repeat_bad_contact")) == 2,
        10,
        "its end is told",
    )
    types = [body["type"] for body in told(session_webhook, who["customer_id"], "repeat_bad_contact")]
    assert types == ["alert.firing", "alert.resolved"]
    _, listed = stack.ask("alerts", "GET", f"/v1/alerts?touchpoint={shop}&kind=repeat_bad_contact")
    assert [(alert["state"], alert["last_kind"]) for alert in listed["alerts"]] == [("resolved", "recovered")]
    rows = wait_for(
        lambda: stack.query(
            f"SELECT recovered, customers FROM feedback.customer_recovery WHERE touchpoint = '{shop}'"
        ),
        10,
        "ClickHouse has the bad contact",
    )
    assert [int(row["customers"]) for row in rows] == [1]
