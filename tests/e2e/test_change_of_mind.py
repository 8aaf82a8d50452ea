"""A customer answers twice in one interaction: the last answer stands, in the windows and in ClickHouse."""

from __future__ import annotations

from tests.e2e.test_answer_to_alert import raw_count, scores, touchpoint
from tests.stack import Stack, wait_for


def test_the_last_answer_of_an_interaction_stands(stack: Stack) -> None:
    chat = touchpoint("chat")
    one = {"touchpoint": chat, "metric": "csat", "interaction_id": f"i-{chat}"}
    first, last = one | {"score": 1, "event_id": "first"}, one | {"score": 5, "event_id": "last"}

    for answer in (first, last, first):
        assert stack.post(answer)[0] == 202

    wait_for(
        lambda: scores(stack, chat).get("5m", {}).get("mean") == 5, 10, "the windows hold the last answer"
    )
    assert {row["n"] for row in scores(stack, chat).values()} == {1}
    wait_for(lambda: raw_count(stack, chat) == 1, 10, "ClickHouse hides the replaced answer")
    sql = f"SELECT event_id, score FROM feedback.events FINAL WHERE touchpoint = '{chat}'"
    assert stack.query(sql) == [{"event_id": "last", "score": 5}]


def test_an_id_with_another_body_is_refused_with_a_reason(stack: Stack) -> None:
    shop = touchpoint("shop")
    answer = {"touchpoint": shop, "metric": "nps", "score": 9, "event_id": f"id-{shop}"}

    stack.post(answer)
    stack.post(answer | {"score": 2})

    sql = f"SELECT reason FROM feedback.rejected FINAL WHERE position(payload, 'id-{shop}') > 0"
    rows = wait_for(lambda: stack.query(sql), 10, "the dead letter is there")
    assert rows == [{"reason": "conflicting_duplicate"}]
    assert scores(stack, shop)["5m"]["n"] == 1
