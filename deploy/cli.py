"""The `aftertouch` command: each subcommand is a function of another module, loaded when it is called."""

from __future__ import annotations

import logging
import sys
from importlib import import_module, util
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from deploy.up.failure import CANNOT_START, Failure
from deploy.up.settings import checked_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
"""All commands."""

LATER = {
    "simulate": "deploy.simulate.command",
    "import": "deploy.history.command",
    "backtest": "deploy.backtest.command",
    "replay-rejected": "deploy.replay.command",
}
"""Commands that are plain functions elsewhere: the name on the command line, and the module."""


def say(line: str) -> None:
    """One line for a person; it is never wrapped, so that what it shows can be pasted."""
    Console(soft_wrap=True, emoji=False).print(line, markup=False)


@app.command()
def up(
    only: Annotated[str, typer.Option(help="Start these parts only, for example kafka,clickhouse.")] = "",
) -> None:
    """Start everything on this machine; Ctrl-C stops it. The environment sets ports and data directory."""
    from deploy.up.parts import NAMES
    from deploy.up.run import up as run_up

    wanted = frozenset(filter(None, only.split(",")))
    if unknown := wanted - set(NAMES):
        raise Failure(
            f"Unknown part {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}.", CANNOT_START
        )
    run_up(checked_settings(), wanted, say)


@app.command()
def provision(
    replication: Annotated[int, typer.Option(help="Copies of each topic on a Kafka cluster.")] = 1,
    cluster: Annotated[str, typer.Option(help="Make the tables replicated on this ClickHouse cluster.")] = "",
    keys: Annotated[
        Path | None, typer.Option(help="Also make keys in this directory, if it has none.")
    ] = None,
) -> None:
    """Create or update the topics on KAFKA_BOOTSTRAP and the tables on CLICKHOUSE_URL."""
    from deploy.provision import command
    from deploy.up.credentials import dev_keys, write_key_files

    settings = checked_settings()
    if keys is not None:
        write_key_files(keys, dev_keys(keys))
    differences = command.topics(settings.kafka_address, replication)
    statements = command.tables(settings.clickhouse_address, cluster)
    for line in command.report(differences, statements):
        say(line)
    if any(difference.wrong_partitions for difference in differences):
        raise Failure("Some topics have another number of partitions than declared, see above.")


@app.command()
def doctor() -> None:
    """Look at every part of a running stack, and say what is wrong and what to do about it."""
    import asyncio

    from deploy.doctor import examine

    findings = asyncio.run(examine(checked_settings()))
    for finding in findings:
        say(finding.line())
    if bad := sum(bool(finding.trouble) for finding in findings):
        raise Failure(f"{bad} of {len(findings)} checks failed.")


def register_later() -> None:
    """Add the commands of `LATER` to `app`."""
    for name, module in LATER.items():
        if util.find_spec(module.rpartition(".")[0]) and util.find_spec(module):
            function = {"import": "import_history"}.get(name, name.replace("-", "_"))
            app.command(name)(getattr(import_module(module), function))
    app.add_typer(import_module("deploy.rules.command").app, name="rules")


def main() -> None:
    """Run a command; what it cannot do is one sentence, and exit code 1 or 2."""
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        register_later()
        app()
    except Failure as failure:
        _end(str(failure), failure.code)
    except ModuleNotFoundError as missing:
        _end(f"The Python package of module {missing.name} is missing: `make up` installs it.", CANNOT_START)


def _end(sentence: str, code: int) -> NoReturn:
    Console(stderr=True, soft_wrap=True, emoji=False).print(f"aftertouch: {sentence}", markup=False)
    sys.exit(code)


if __name__ == "__main__":
    main()
