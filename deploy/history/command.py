"""The command `aftertouch import`: history from a CSV or JSONL file, in one go and as often as you like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_history(  # noqa: PLR0913 - each parameter is an option of the command
    file: Annotated[
        Path, typer.Argument(help="A CSV file (delimiter , ; tab or |) or a .jsonl file, in UTF-8.")
    ],
    maps: Annotated[
        list[str], typer.Option("--map", metavar="FIELD=COLUMN", help="A field and the column it is in.")
    ] = [],  # noqa: B006 - typer copies it
    constants: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="A field that is the same for all, or its default."
        ),
    ] = [],  # noqa: B006 - typer copies it
    time_format: Annotated[str, typer.Option(help="How times are written, for example '%d/%m/%y'.")] = "",
    zone: Annotated[str, typer.Option(help="Zone of times that carry none, for example Europe/Warsaw.")] = "",
    url: Annotated[str, typer.Option(help="Where ingest is (default: here, at INGEST_PORT).")] = "",
    key: Annotated[str, typer.Option(help="A key that may import (default: from AFTERTOUCH_DATA).")] = "",
    errors: Annotated[Path | None, typer.Option(help="Write the refused rows to this CSV file.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, post nothing.")
    ] = False,
) -> None:
    """Import past answers. They teach the usual levels and fill the scores, and raise no alert."""
    from datetime import UTC, datetime

    from deploy.history.door import find
    from deploy.history.mapping import parse_mapping
    from deploy.history.run import Import, run
    from deploy.history.times import reading

    mapping = parse_mapping(maps, constants)
    where = None if dry_run else find(url, key, "import")
    run(Import(file, mapping, reading(time_format, zone), where, errors), datetime.now(UTC))
