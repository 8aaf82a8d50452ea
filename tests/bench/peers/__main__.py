"""`python -m tests.bench.peers [--events N] [--only NAME,...]` a part of `python -m tests.bench peers`."""

from __future__ import annotations

import argparse
import json

from tests.bench.peers.bench import Plan, measure
from tests.bench.peers.contenders import CONTENDERS, IDIOMATIC


def main() -> None:
    """Measure what the options say."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Plan()
    names = ", ".join(c.name for c in (*CONTENDERS, *IDIOMATIC))
    parser.add_argument("--events", type=int, default=default.events)
    parser.add_argument("--rounds", type=int, default=default.sizes[0][1], help="of the smallest load")
    parser.add_argument("--touchpoints", default=",".join(str(n) for n, _ in default.sizes))
    parser.add_argument("--own-windows-events", type=int, default=default.idiomatic_events)
    parser.add_argument("--lag-seconds", type=int, default=default.lag_seconds)
    parser.add_argument(
        "--bound", type=float, default=default.bound, help="seconds after which a run is cut off"
    )
    parser.add_argument("--only", default="", help=f"of {names}")
    options = parser.parse_args()
    sizes = [int(n) for n in options.touchpoints.split(",") if n]
    plan = Plan(
        events=options.events,
        sizes=tuple((n, options.rounds if n == sizes[0] else 1) for n in sizes),
        idiomatic_events=options.own_windows_events,
        lag_seconds=options.lag_seconds,
        bound=options.bound,
        only=tuple(name for name in options.only.split(",") if name),
    )
    print(json.dumps({name: round(figure, 3) for name, figure in measure(plan).items()}, indent=2))


if __name__ == "__main__":
    main()
