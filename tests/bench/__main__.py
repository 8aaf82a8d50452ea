"""`make bench` or `python -m tests.bench [NAME ...]`: runs the benchmarks one by one, prints JSON."""

from __future__ import annotations

import json
import sys

from tests.bench import aggregator, ingest, latency, reports, sink

BENCHES = {
    "latency": latency.measure,
    "aggregator": aggregator.measure,
    "ingest": ingest.measure,
    "reports": reports.measure,
    "sink": sink.measure,
}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    unknown = set(names) - set(BENCHES)
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    figures: dict[str, float] = {}
    for name in names or BENCHES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        figures |= BENCHES[name]()
    print(json.dumps({name: round(figure, 3) for name, figure in figures.items()}, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
