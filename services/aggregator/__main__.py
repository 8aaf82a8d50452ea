"""`python -m services.aggregator windows|customers|sink`: reads the settings and runs one of the workers."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import faust
import uvloop
from pydantic import ValidationError

from services.aggregator.exits import Exit
from services.aggregator.kafka import wait_for_kafka
from services.aggregator.settings import AggregatorSettings
from services.operations.logs import configure_logs

WORKERS = {
    "windows": "services.aggregator.windows_worker",
    "customers": "services.aggregator.customers_worker",
    "sink": "services.aggregator.sink_worker",
}
"""Modules, loaded when they are run: no worker pays for what only another needs."""


def main(arguments: list[str]) -> None:
    """Run the named worker until it is told to stop."""
    if len(arguments) != 1 or arguments[0] not in WORKERS:
        print(f"usage: python -m services.aggregator {'|'.join(WORKERS)}", file=sys.stderr)
        sys.exit(Exit.MISCONFIGURED)
    try:
        settings = AggregatorSettings()
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        print(f"aggregator: a setting is wrong: {wrong}", file=sys.stderr)
        sys.exit(Exit.MISCONFIGURED)
    configure_logs(arguments[0], settings.log_level)
    # What a worker keeps has no cycles, and looking for them cost half the fold.
    gc.set_threshold(50_000, 20, 100)
    uvloop.install()
    uvloop.run(wait_for_kafka(settings.kafka_bootstrap))
    app = import_module(WORKERS[arguments[0]]).create(settings)
    # Logging is configured: Faust's own would replace our handler, and with it the filter of what is repeated.
    worker = faust.Worker(app, override_logging=False, redirect_stdouts=False, quiet=True)
    worker.spinner = None  # a log file is no terminal
    worker.execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1:])
