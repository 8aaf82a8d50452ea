"""Groups: worked out with the first answer of a day, the same in a replay, and forgotten when nothing goes by them."""

from __future__ import annotations

from services.aggregator.baseline import ALONE, DAY_SECONDS, Baseline
from services.aggregator.groups import Groups
from services.aggregator.panes import SeriesId

SERIES = SeriesId("default", "web", "csat")
NOON = 20_000 * DAY_SECONDS + DAY_SECONDS / 2


def taught(level: float) -> Baseline:
    """A baseline that has learned 800 answers of this level."""
    return Baseline(part_weights=[100.0] * 8, part_sums=[100.0 * level] * 8)


def begun(*days: int) -> Groups:
    """After the first answers of these days, at the offsets 10, 20, ..., each with a lower level than the last."""
    groups = Groups()
    for number, day in enumerate(days):
        at = NOON + day * DAY_SECONDS
        assert groups.is_new_day(at)
        groups.begin(10 * (number + 1), at, [(SERIES, taught(0.9 - 0.1 * number))])
    return groups


def test_a_new_touchpoint_is_expected_to_be_like_its_group() -> None:
    groups = begun(0)

    assert 0.8 < groups.of(SERIES._replace(touchpoint="new")).level < 0.9 + 1e-9
    assert groups.of(SERIES._replace(workspace="other")) == ALONE
    assert groups.of(SERIES._replace(metric="nps")) == ALONE


def test_a_day_begins_at_midnight() -> None:
    groups = begun(0)

    assert [groups.is_new_day(NOON + hours * 3600) for hours in (0, 11.9, 12, 40)] == [
        False,
        False,
        True,
        True,
    ]


def test_the_order_of_the_baselines_makes_no_difference() -> None:
    some = [(SERIES._replace(touchpoint=f"t{n}"), taught(0.1 * n)) for n in range(1, 8)]
    one, other = Groups(), Groups()
    one.begin(5, NOON, some)
    other.begin(5, NOON, reversed(some))

    assert one.by_offset == other.by_offset


def test_a_replay_goes_by_what_was_worked_out_the_first_time() -> None:
    first, replay = begun(0, 1), Groups()
    replay.restore(dict(first.by_offset), committed=15, newest_received=NOON)
    before = replay.of(SERIES)

    replay.begin(20, NOON + DAY_SECONDS, [(SERIES, taught(0.1))])

    assert before == first.by_offset[10]["default", "csat"]
    assert replay.of(SERIES) == first.of(SERIES) != before
    assert replay.take_new() == []


def test_what_no_replay_goes_by_is_forgotten() -> None:
    groups = begun(0, 1, 2)

    assert groups.take_new() == [10, 20, 30]
    assert [groups.forget(committed) for committed in (10, 20, 21, 31)] == [[], [], [10], [20]]
    assert list(groups.by_offset) == [30]
