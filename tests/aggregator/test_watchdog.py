"""Stalls: a partition that has unread records and makes no progress is noticed, a finished one is not."""

from __future__ import annotations

from services.aggregator.watchdog import Heartbeat, Stalls


def longest(*observations: tuple[float, dict[int, tuple[int, int]]]) -> list[float]:
    """What is said at each of these moments to {partition: (reached, end)}."""
    stalls = Stalls()
    return [stalls.longest(lags, now) for now, lags in observations]


def test_a_partition_that_stands_still_is_noticed() -> None:
    assert longest((0, {0: (5, 9)}), (60, {0: (5, 9)}), (100, {0: (5, 12)})) == [0, 60, 100]


def test_progress_starts_the_time_anew() -> None:
    assert longest((0, {0: (5, 9)}), (60, {0: (6, 9)}), (100, {0: (6, 9)})) == [0, 0, 40]


def test_a_partition_that_has_read_everything_does_not_stall() -> None:
    assert longest((0, {0: (9, 9)}), (600, {0: (9, 9)}), (601, {0: (9, 10)}), (611, {0: (9, 10)})) == [
        0,
        0,
        1,
        11,
    ]


def test_the_longest_of_all_partitions_counts() -> None:
    assert (
        longest((0, {0: (5, 9), 1: (1, 2)}), (30, {0: (6, 9), 1: (1, 2)}), (50, {0: (6, 9), 1: (1, 2)}))[-1]
        == 50
    )


def test_a_partition_that_was_taken_away_is_forgotten() -> None:
    assert longest((0, {0: (5, 9)}), (50, {}), (99, {0: (5, 9)}), (109, {0: (5, 9)})) == [0, 0, 0, 10]


async def test_a_beating_heart_is_alive() -> None:
    heartbeat = Heartbeat(limit_seconds=60)

    assert heartbeat.live() == ""
    assert 0 <= heartbeat.silent_for() < 60
