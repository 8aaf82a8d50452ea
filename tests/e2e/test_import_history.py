"""The largest real file imported twice into a running stack: ClickHouse then holds what the file holds."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections import Counter

import pytest

from tests.conftest import MakeStack
from tests.deploy.test_import_real import real, rows
from tests.faults.ledger import pane_cells, raw_cells
from tests.stack import ROOT, Stack, wait_for

pytestmark = pytest.mark.slow

OPTIONS = shlex.split(
    "--map touchpoint=category --set touchpoint=no-category --map score=score --map occurred_at=answered_at "
    "--map agent=seller_id --map customer_id=customer_unique_id --map comment=comment --set metric=csat "
    "--zone America/Sao_Paulo"
)


def run_import(stack: Stack, name: str) -> None:
    """`aftertouch import` as a person runs it."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "deploy.cli",
            "import",
            str(real(name)),
            *OPTIONS,
            "--url",
            stack.url("ingest"),
        ],
        cwd=ROOT,
        env=os.environ | {"AFTERTOUCH_DATA": str(stack.data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_counts_equal_the_file_per_touchpoint_and_score(make_stack: MakeStack) -> None:
    stack = make_stack()
    expected = Counter(
        (row["category"] or "no-category", "csat", int(row["score"]))
        for row in rows(real("shop_reviews.csv"))
    )

    run_import(stack, "shop_reviews.csv")
    run_import(stack, "shop_reviews.csv")

    wait_for(lambda: sum(raw_cells(stack).values()) >= 8225, 30, "all answers are in ClickHouse")
    wait_for(lambda: sum(pane_cells(stack, "panes_1h").values()) >= 8225, 30, "all hours are in ClickHouse")
    assert raw_cells(stack) == expected
    assert pane_cells(stack, "panes_1h") == expected
    assert stack.query("SELECT count() AS n FROM feedback.panes_1m") == [{"n": 0}]
    assert stack.ask("alerts", "GET", "/v1/alerts")[1]["alerts"] == []
