"""The watchdog: a partition with unread records and no progress is noticed, and so is a loop that stands still."""

from __future__ import annotations

import socket
import subprocess
import sys

from services.aggregator.exits import Exit
from services.aggregator.watchdog import Stalls, kafka_answers


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


def test_time_that_is_excused_does_not_count() -> None:
    stalls = Stalls()
    stalls.longest({0: (5, 9)}, 0)
    stalls.excuse(80)

    assert stalls.longest({0: (5, 9)}, 100) == stalls.seconds == 20


async def test_a_broker_that_is_away_or_stands_still_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert not await kafka_answers(f"127.0.0.1:{port}")

    assert not await kafka_answers(f"127.0.0.1:{port}")


def run(script: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: a heartbeat ends the one it is in."""
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_loop_that_stands_still_ends_the_process() -> None:
    ended = run(
        "import threading; from services.aggregator.watchdog import Heartbeat; "
        "Heartbeat(limit_seconds=0.2, start_grace_seconds=0); threading.Event().wait(20)"
    )

    assert ended.returncode == Exit.STALLED
    assert "the event loop stood still" in ended.stderr


def test_a_loop_that_beats_is_alive() -> None:
    ended = run(
        "import asyncio; from services.aggregator.watchdog import Heartbeat\n"
        "heartbeat = Heartbeat(limit_seconds=10)\n"
        "def look():\n"
        "    print(heartbeat.live() or 'alive')\n"
        "    raise SystemExit(0)\n"
        "asyncio.run(heartbeat.beat(look))"
    )

    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr
