"""The command `aftertouch rules check`: what a file of rules says, or what is wrong with it and where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.up.failure import Failure
from schemas.rules import CHANGEABLE, DropRules, Override, Rules, RulesError, budget_months, parse

app = typer.Typer(no_args_is_help=True, help="Read a file of rules and say what it means.")


@app.callback()
def rules() -> None:
    """Read a file of rules and say what it means."""


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A file of rules, as in docs/rules.md.")]) -> None:
    """Show what the file says, or name the line and what is wrong with it."""
    console = Console(soft_wrap=True, highlight=False)
    read = read_rules(file)
    console.print(table_of(read))
    console.print(f"Budget: {budget_words(read.drops)}.", markup=False)


def read_rules(file: Path) -> Rules:
    """The rules of a file. Raises Failure."""
    try:
        return parse(file.read_text(encoding="utf-8"))
    except RulesError as error:
        raise Failure(f"{file}, {error}") from None
    except UnicodeDecodeError:
        raise Failure(f"{file} is not UTF-8.") from None
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}.") from None


def table_of(rules: Rules) -> Table:
    """The first row is for all; each further one shows what it changes, and later ones count more."""
    table = Table("touchpoint", "workspace", "metric", *(name.replace("_", " ") for name in CHANGEABLE))
    table.add_row("all", "all", "all", *_cells(rules.drops))
    for override in rules.override:
        table.add_row(override.touchpoint, override.workspace, override.metric, *_cells(override))
    return table


def _cells(said: DropRules | Override) -> list[str]:
    values = [getattr(said, name) for name in CHANGEABLE]
    if isinstance(said, DropRules):
        shared = said.false_alarms_per_day is not None
        values[CHANGEABLE.index("budget_months")] = None if shared else budget_months(said, 0)
    return ["" if value is None else f"{value:g}" for value in values]


def budget_words(drops: DropRules) -> str:
    """What the budget comes to."""
    if drops.false_alarms_per_day is None:
        months = budget_months(drops, 0)
        return (
            f"at most about one false alarm in {months:g} months at each touchpoint and metric, "
            f"{1000 / (months * 365.25 / 12):.2g} a day from a thousand of them"
        )
    return (
        f"at most about {drops.false_alarms_per_day:g} false alarms a day from all touchpoints together; a thousand "
        f"live touchpoints and metrics would have {budget_months(drops, 1000):.3g} months each"
    )
