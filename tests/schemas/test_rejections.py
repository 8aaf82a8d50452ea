"""Reason words: each has a meaning in words, and is one word."""

from __future__ import annotations

import pytest

from schemas.rejections import REASONS, Reason, Rejected, refuse


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_it_means(reason: Reason) -> None:
    assert len(REASONS[reason]) > 10
    assert refuse(reason) == Rejected(reason, REASONS[reason])


def test_a_refusal_may_say_more_than_its_reason() -> None:
    assert refuse(Reason.FIELD_MISSING, "score is required").detail == "score is required"


def test_reasons_are_one_word_each_and_told_apart() -> None:
    assert all(reason.value.replace("_", "").isalpha() and reason.value.islower() for reason in Reason)
    assert len({REASONS[reason] for reason in Reason}) == len(Reason)
