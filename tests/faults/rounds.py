"""Runs the fault tests in rounds, on both brokers at a time and with a seed a round, and makes a table of results.

`python -m tests.faults.rounds [--seeds 1 2 3] [--ci]` exits with 1 when a test failed. The table, the output
of each run and its JUnit XML go to build/faults/.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from tests.stack import ROOT

BUILD = ROOT / "build" / "faults"
SEEDS = (1, 2, 3)
BROKERS = ("embedded", "apache")
HEADER = ("test", "broker", "seed", "result", "events", "kills", "recovered, s", "wall, s", "more")


class Run(NamedTuple):
    """One pytest over the fault tests; every process has ports and data of its own, so runs do not meet."""

    kafka: str
    seed: int
    ci: bool

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.kafka}-{self.seed}{'-ci' if self.ci else ''}"

    @property
    def results(self) -> Path:
        """Its JUnit XML."""
        return BUILD / f"{self.name}.xml"

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, without waiting for anything."""
        self.results.unlink(missing_ok=True)
        marks = f"faults and ci(kafka='{self.kafka}')" if self.ci else "faults"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-m",
            marks,
            "-s",
            "tests/faults",
            f"--junit-xml={self.results}",
        ]
        command += [f"--kafka={self.kafka}", f"--seed={self.seed}", "-p", "no:cacheprovider"]
        with (BUILD / f"{self.name}.log").open("wb") as output:
            return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """A line of the table for each test that it ran."""
        cases = ElementTree.parse(self.results).iter("testcase") if self.results.exists() else ()  # noqa: S314
        for case in cases:
            told = {p.get("name", ""): p.get("value", "") for p in case.iter("property")}
            bad = not told or case.find("failure") is not None or case.find("error") is not None
            passed = "FAILED" if bad else "passed"
            known = (told.get(name, "") for name in ("events", "kills", "recovered_s"))
            wall = f"{float(case.get('time', '0')):.0f}"
            yield (
                case.get("name") or "interrupted",
                self.kafka,
                str(self.seed),
                passed,
                *known,
                wall,
                told.get("more", ""),
            )


def main() -> int:
    """One round after the other; the brokers' runs of a round go on side by side."""
    options = _options()
    BUILD.mkdir(parents=True, exist_ok=True)
    done: list[Run] = []
    failed = False
    for seed in options.seeds:
        runs = [Run(kafka, seed, options.ci) for kafka in BROKERS]
        codes = [process.wait() for process in [run.start() for run in runs]]
        failed |= any(codes)
        done += runs
        (BUILD / "results.md").write_text(table([row for run in done for row in run.rows()]))
        for run, code in zip(runs, codes, strict=True):
            if code:
                print(f"--- {run.name}: exit code {code}\n{(BUILD / f'{run.name}.log').read_text()}")
    print((BUILD / "results.md").read_text())
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="a round for each")
    parser.add_argument("--ci", action="store_true", help="only the tests that .ci/run has time for")
    return parser.parse_args()


def table(rows: Sequence[Sequence[str]]) -> str:
    """As Markdown."""
    lines = [HEADER, ["---"] * len(HEADER), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
