"""The command `aftertouch backtest`: tune the rules on the past before they count."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def backtest(  # noqa: PLR0913 - each parameter is an option of the command
    rules: Annotated[Path, typer.Option(help="The rules to try, as in docs/rules.md.")],
    from_: Annotated[
        str, typer.Option("--from", metavar="DATE", help="Answers before this day (UTC) only teach.")
    ] = "",
    to: Annotated[str, typer.Option("--to", metavar="DATE", help="Read no answers from this day on.")] = "",
    file: Annotated[
        Path | None, typer.Option(help="A CSV or .jsonl file to read instead of ClickHouse.")
    ] = None,
    maps: Annotated[
        list[str], typer.Option("--map", metavar="FIELD=COLUMN", help="As for `aftertouch import`.")
    ] = [],  # noqa: B006 - typer copies it
    constants: Annotated[
        list[str], typer.Option("--set", metavar="FIELD=VALUE", help="As for `aftertouch import`.")
    ] = [],  # noqa: B006 - typer copies it
    time_format: Annotated[str, typer.Option(help="How times are written, for example '%d/%m/%y'.")] = "",
    zone: Annotated[str, typer.Option(help="Zone of times that carry none, for example Europe/Warsaw.")] = "",
) -> None:
    """Replay past answers under the rules of a file, and show which alerts it would have raised. Changes nothing."""
    from datetime import UTC, datetime

    from deploy.backtest.history import Span, from_clickhouse, from_file
    from deploy.backtest.run import run
    from deploy.history.mapping import parse_mapping
    from deploy.history.times import reading
    from deploy.rules.command import read_rules
    from deploy.up.settings import checked_settings

    tried, span = read_rules(rules), Span.between(from_, to)
    if file is None:
        history = from_clickhouse(checked_settings().clickhouse_address, span)
    else:
        how = reading(time_format, zone)
        history = from_file(file, parse_mapping(maps, constants), how, span, datetime.now(UTC))
    run(rules, tried, history)
