"""`make bench` or `python -m tests.bench [NAME ...]`: runs the benchmarks one by one, prints JSON.

Two run only when they are named: `peers` takes a quarter of an hour, Java, Maven and PyPI, and `detection` takes
as long and says nothing about the machine.
"""

from __future__ import annotations

import argparse
import json
import sys

from tests.bench import aggregator, ingest, latency, reports, restore, sink
from tests.bench.detection import run as detection
from tests.bench.peers import bench as peers

BENCHES = {
    "latency": latency.measure,
    "aggregator": aggregator.measure,
    "ingest": ingest.measure,
    "reports": reports.measure,
    "restore": restore.measure,
    "sink": sink.measure,
}
ONLY_NAMED = {"detection": detection.measure, "peers": peers.measure}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all of BENCHES."""
    there_are = BENCHES | ONLY_NAMED
    unknown = set(names) - set(there_are)
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(there_are)}")
    figures: dict[str, float] = {}
    for name in names or BENCHES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        figures |= there_are[name]()
    print(json.dumps({name: round(figure, 3) for name, figure in figures.items()}, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help=", ".join(BENCHES | ONLY_NAMED))
    main(parser.parse_args().names)
