"""What `rules.toml` says: when a drop is one, for all touchpoints and for some of them; and how its text is read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from schemas.receivers import Receiver
from schemas.routing import CHOICES, Digest, Glob, Inhibit, Quiet, Route, Routing, TeamOf, TimeOut, mistakes
from schemas.scoring import METRICS, Metric

DAYS_PER_MONTH = 365.25 / 12
DEFAULT_BUDGET_MONTHS = 12.0

Months = Annotated[float, Meta(gt=0, le=1200)]
Points = Annotated[float, Meta(ge=0, lt=100)]
Size = Annotated[float, Meta(gt=0, lt=100)]
Answers = Annotated[int, Meta(ge=0, le=100_000)]
Days = Annotated[float, Meta(gt=0, le=3650)]


class DropRules(Struct, frozen=True, forbid_unknown_fields=True):
    """Table [drops], for every touchpoint and metric. The defaults are those of docs/detection.md.

    Points are those of the level from 0 to 100: percent for CSAT and CES; one of them is two points of NPS.
    """

    budget_months: Months | None = None
    """Were nothing wrong, a touchpoint would ring about once in so many months; 12 if nothing is said."""
    false_alarms_per_day: Annotated[float, Meta(gt=0, le=100_000)] | None = None
    """The same for all live touchpoints together; instead of `budget_months`."""
    minimum_drop_points: Points = 3.0
    """A smaller drop is not told, however sure it is."""
    sizes_points: tuple[Size, Size, Size] = (5.0, 10.0, 20.0)
    """The drops that are looked for; those between and above are found, too."""
    warm_up_answers: Answers = 150
    """So many first answers of a touchpoint only teach."""
    over_days: Days = 14.0
    """Evidence for the end of a drop: were it still there, an end would be seen about once in so many days."""
    half_life_days: Days = 60.0
    """After so long an answer counts half in what is usual."""
    longest_wait_days: Days = 45.0
    """Answers of a bad spell are taken for usual after so long, if it is no drop."""


class Override(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One [[override]]: what differs where all three globs match. Of several, the last that says something counts."""

    touchpoint: Glob = "*"
    workspace: Glob = "*"
    metric: Metric | Literal["*"] = "*"
    budget_months: Months | None = None
    minimum_drop_points: Points | None = None
    warm_up_answers: Answers | None = None
    over_days: Days | None = None
    half_life_days: Days | None = None

    def matches(self, workspace: str, touchpoint: str, metric: Metric) -> bool:
        """Whether it is about this touchpoint and metric."""
        return (
            fnmatchcase(touchpoint, self.touchpoint)
            and fnmatchcase(workspace, self.workspace)
            and self.metric in ("*", metric)
        )

    def changes(self) -> dict[str, float]:
        """What it says, by field."""
        return {name: value for name in CHANGEABLE if (value := getattr(self, name)) is not None}


CHANGEABLE = tuple(name for name in Override.__struct_fields__ if name in DropRules.__struct_fields__)


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What a file says of drops."""

    drops: DropRules = DropRules()
    override: tuple[Override, ...] = ()


DEFAULT = Rules()


class RulesFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file: of drops for the aggregator, of alerts for the alerts service."""

    drops: DropRules = DropRules()
    override: tuple[Override, ...] = ()
    receiver: tuple[Receiver, ...] = ()
    route: tuple[Route, ...] = ()
    team: tuple[TeamOf, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    digest: Digest = Digest()
    inhibit: Inhibit = Inhibit()
    time_out: TimeOut = TimeOut()

    @property
    def watching(self) -> Rules:
        """When a drop is one."""
        return Rules(self.drops, self.override)

    @property
    def routing(self) -> Routing:
        """What becomes an alert, and who is told."""
        return Routing(
            names=tuple(one.name for one in self.receiver),
            route=self.route,
            team=self.team,
            quiet=self.quiet,
            digest=self.digest,
            inhibit=self.inhibit,
            time_out=self.time_out,
        )


class RulesError(ValueError):
    """What is wrong with a file, in words, with the line (from 1) where that is known, else 0."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line


def parse(text: str) -> Rules:
    """What a file's text says of drops; the rest of it must be right, too. Raises RulesError."""
    return read(text).watching


def read(text: str) -> RulesFile:
    """Read a file's text. Raises RulesError."""
    try:
        rules = msgspec.convert(tomllib.loads(text), RulesFile)
    except tomllib.TOMLDecodeError as error:
        what = re.sub(r" \(at .*\)\Z", "", str(error))
        raise RulesError(_line_told(str(error), text), f"this is not TOML: {what}") from None
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at ")
        where = path.strip("`").removeprefix("$").lstrip(".")
        if unknown := re.search(r"unknown field `(.+)`", what):
            where = f"{where}.{unknown[1]}".lstrip(".")
            what = "there is no such rule"
        raise RulesError(
            line_of(text, where), f"{where}: {_plain(what, where)}" if where else _plain(what, where)
        ) from None
    _check(rules, text)
    return rules


def _check(rules: RulesFile, text: str) -> None:
    """What types cannot say. Raises RulesError."""
    drops = rules.drops
    if drops.budget_months is not None and drops.false_alarms_per_day is not None:
        where = "drops.false_alarms_per_day"
        raise RulesError(line_of(text, where), f"{where}: give this or budget_months, not both")
    if not drops.sizes_points[0] < drops.sizes_points[1] < drops.sizes_points[2]:
        where = "drops.sizes_points"
        raise RulesError(line_of(text, where), f"{where}: must be three sizes, the smallest first")
    for number, override in enumerate(rules.override):
        if not override.changes():
            where = f"override[{number}]"
            raise RulesError(
                line_of(text, where), f"{where}: changes nothing; it may set {', '.join(CHANGEABLE)}"
            )
    for where, reason in mistakes(rules.routing):
        raise RulesError(line_of(text, where), f"{where}: {reason}")


def rules_for(
    rules: Rules, workspace: str, touchpoint: str, metric: Metric, live_series: int = 0
) -> DropRules:
    """The rules of one touchpoint and metric, with `budget_months` worked out.

    `live_series` is how many touchpoints and metrics share `false_alarms_per_day`.
    """
    return applied(rules.drops, overrides_for(rules, workspace, touchpoint, metric), live_series)


def overrides_for(rules: Rules, workspace: str, touchpoint: str, metric: Metric) -> tuple[Override, ...]:
    """The overrides that match, in the order of the file."""
    return tuple(one for one in rules.override if one.matches(workspace, touchpoint, metric))


def applied(drops: DropRules, overrides: tuple[Override, ...], live_series: int) -> DropRules:
    """The rules where these overrides match."""
    changes: dict[str, float] = {"budget_months": budget_months(drops, live_series)}
    for override in overrides:
        changes |= override.changes()
    return replace(drops, false_alarms_per_day=None, **changes)


def budget_months(drops: DropRules, live_series: int) -> float:
    """The budget of each touchpoint and metric: given, or its share of the fleet's."""
    if drops.false_alarms_per_day is None:
        return DEFAULT_BUDGET_MONTHS if drops.budget_months is None else drops.budget_months
    return max(1, live_series) / (drops.false_alarms_per_day * DAYS_PER_MONTH)


def line_of(text: str, where: str) -> int:
    """The line (from 1) of a place such as `override[1].metric`, or of the table it belongs to; 0 if there is none."""
    place = re.match(r"(\w*)(?:\[(\d+)\])?\.?(\w*)", where)
    assert place is not None
    table, number, name = place[1], int(place[2] or 0), place[3]
    headers = [line for line, one in _lines(text) if re.match(rf"\s*\[+\s*{table}\s*\]", one)]
    if number >= len(headers):
        return next((line for line, one in _lines(text) if re.match(rf"\s*\[?{table}\s*[\].=]", one)), 0)
    header = headers[number]
    for line, one in _lines(text):
        if line > header and one.lstrip().startswith("["):
            break
        if line > header and name and re.match(rf"\s*{name}\s*=", one):
            return line
    return header


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(text.splitlines(), 1)


_TYPES = {"float": "a number", "int": "a whole number", "str": "text", "bool": "true or false"}
_MORE_TYPES = {"array": "a list", "object": "a table", "null": "nothing"}


def _line_told(message: str, text: str) -> int:
    told = re.search(r"\(at line (\d+)", message)
    return int(told[1]) if told else max(1, len(text.splitlines()))


def _plain(message: str, where: str) -> str:
    """A library's message without the names that only programmers know."""
    name = re.sub(r"\[.*?\]", "", where.rpartition(".")[2])
    if "matching regex" in message:
        return _FORMS.get(name, _GLOB_FORM)
    if message.startswith("Invalid enum value"):
        choices = ", ".join(CHOICES[name]) if name in CHOICES else f"{', '.join(METRICS)} or *"
        return f"must be one of {choices}"
    message = message.replace(" | null", "").replace("Expected", "must be").replace(", got", ", not")
    for known, words in (_TYPES | _MORE_TYPES).items():
        message = message.replace(f"`{known}`", words)
    return message.replace("`", "'")


_GLOB_FORM = "must be of a-z, 0-9, '.', '_', '-', and '*', '?', '[...]' for what may differ"
_FORMS = dict.fromkeys(("from", "to", "at"), "must be a time of day such as 07:30") | dict.fromkeys(
    ("name", "receivers", "escalate_to"), "must be a name of a-z, 0-9, '.', '_', '-', at most 64 characters"
)
