"""What `rules.toml` says of alerts: which signals become one, how severe, who is told, when, and when not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, field

from schemas.alerts import Alert, AlertKind, Severity
from schemas.receivers import Name
from schemas.scoring import Metric

Glob = Annotated[str, Meta(pattern=r"^[a-z0-9._*?\[\]!-]{1,128}\Z")]
TextGlob = Annotated[str, Meta(min_length=1, max_length=128)]
Time = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
Minutes = Annotated[float, Meta(ge=0, le=10_080)]
Hours = Annotated[float, Meta(ge=0, le=8_760)]
Days = Annotated[float, Meta(ge=0, le=365)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Trait = Literal["alert", "kind", "metric", "touchpoint", "team", "channel", "agent", "customer_id"]

WEEK: tuple[Day, ...] = get_args(Day)
LASTING: tuple[AlertKind, ...] = ("drop", "aftermath")
"""Kinds that are about a touchpoint and go on until they are over; the others are about one contact."""


class Match(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which alerts are meant: all that is said must be true of them."""

    kinds: tuple[AlertKind, ...] = ()
    severities: tuple[Severity, ...] = ()
    metric: Metric | Literal["*"] = "*"
    touchpoint: Glob = "*"
    workspace: Glob = "*"
    channel: TextGlob = "*"
    team: TextGlob = "*"
    customer_id: TextGlob = "*"

    def matches(self, alert: Alert) -> bool:
        """Whether it is about this alert."""
        return (
            (not self.kinds or alert.kind in self.kinds)
            and (not self.severities or alert.severity in self.severities)
            and self.metric in ("*", alert.metric)
            and all(_globbed(getattr(alert, name), getattr(self, name)) for name in GLOBS)
        )

    def covers(self, other: Match) -> bool:
        """Whether every alert that the other is about is one of this, too, as far as can be told."""
        return (
            _wider(self.kinds, other.kinds)
            and _wider(self.severities, other.severities)
            and self.metric in ("*", other.metric)
            and all(_globbed(getattr(other, name), getattr(self, name)) for name in GLOBS)
        )


GLOBS = ("touchpoint", "workspace", "channel", "team", "customer_id")


def _globbed(text: str, glob: str) -> bool:
    return glob in ("*", text) or fnmatchcase(text, glob)


def _wider(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    return not ours or (bool(theirs) and set(theirs) <= set(ours))


class Route(Match, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One [[route]]: the first that matches counts, and after one that says `continue` the next."""

    receivers: tuple[Name, ...] = ()
    """Who is told; nobody: the alert is listed only."""
    alert: bool = True
    """false: such signals do not become alerts at all."""
    severity: Severity | None = None
    """Instead of the kind's own: warning for a bad contact, critical for the others."""
    group_by: tuple[Trait, ...] = ("kind", "touchpoint")
    """Alerts alike in all of these are one message that grows."""
    group_interval_minutes: Minutes = 5.0
    """A group is told of at most once in so many minutes; the first time at once."""
    repeat_interval_hours: Hours | None = None
    """A critical alert that nobody acknowledges is told again after so long; 0: never. 24 if nothing is said."""
    escalate_after_minutes: Minutes = 0.0
    """If nobody acknowledges within so many minutes, `escalate_to` is told; 0: never."""
    escalate_to: tuple[Name, ...] = ()
    also: bool = field(default=False, name="continue")


class TeamOf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One [[team]]: whose a touchpoint is, for answers that do not say it."""

    team: Annotated[str, Meta(min_length=1, max_length=128)]
    touchpoint: Glob = "*"
    workspace: Glob = "*"


class Quiet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One [[quiet]]: hours in which a team is left in peace. `days` are those on which they begin; `from` as late as
    `to` is a whole day."""

    team: TextGlob = "*"
    workspace: Glob = "*"
    time_zone: str = "UTC"
    days: tuple[Day, ...] = WEEK
    start: Time = field(default="22:00", name="from")
    end: Time = field(default="07:00", name="to")
    critical_passes: bool = True


class Digest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [digest]: once a day each receiver gets what was held back from it, if there was anything."""

    at: Time = "08:00"
    time_zone: str = "UTC"
    send: bool = True


class Inhibit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [inhibit]."""

    bad_contacts_during_drop: bool = True
    """While a drop is open, single bad contacts of its touchpoint and metric are not told."""


class TimeOut(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [time_out]: after so many days without a change an alert is taken for over. 0: never."""

    bad_contact_days: Days = 7.0
    repeat_bad_contact_days: Days = 30.0
    aftermath_days: Days = 90.0
    drop_days: Days = 0.0

    def days(self, kind: AlertKind) -> float:
        """Those of one kind."""
        days: float = getattr(self, f"{kind}_days")
        return days


class Routing(Struct, frozen=True, kw_only=True):
    """All that a file says of alerts, apart from how receivers are set up: `names` are theirs."""

    names: tuple[Name, ...] = ()
    route: tuple[Route, ...] = ()
    team: tuple[TeamOf, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    digest: Digest = Digest()
    inhibit: Inhibit = Inhibit()
    time_out: TimeOut = TimeOut()


def mistakes(routing: Routing) -> Iterator[tuple[str, str]]:
    """Where (`route[1].receivers`) and what is wrong that types cannot say."""
    for number, name in enumerate(routing.names):
        if name in routing.names[:number]:
            yield f"receiver[{number}].name", f"there is a receiver '{name}' before"
    for number, route in enumerate(routing.route):
        yield from _mistakes_of(route, f"route[{number}]", routing.names)
        for before, earlier in enumerate(routing.route[:number]):
            if not earlier.also and earlier.covers(route):
                yield f"route[{number}]", f"is never reached: route[{before}] takes all that it matches"
                break
    for number, quiet in enumerate(routing.quiet):
        if not _is_zone(quiet.time_zone):
            yield f"quiet[{number}].time_zone", "is not a time zone such as Europe/Warsaw"
    if not _is_zone(routing.digest.time_zone):
        yield "digest.time_zone", "is not a time zone such as Europe/Warsaw"


def _mistakes_of(route: Route, where: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in ("receivers", "escalate_to"):
        for receiver in getattr(route, name):
            if receiver not in names:
                yield f"{where}.{name}", f"there is no receiver '{receiver}'"
    if bool(route.escalate_to) != (route.escalate_after_minutes > 0):
        yield f"{where}.escalate_to", "give escalate_to and escalate_after_minutes together"
    if not route.alert and (route.receivers or route.escalate_to):
        yield f"{where}.alert", "what becomes no alert can be told to nobody"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError, a folder is an OSError
        return False
    return True


CHOICES: dict[str, tuple[str, ...]] = {
    "kinds": get_args(AlertKind),
    "severities": get_args(Severity),
    "severity": get_args(Severity),
    "days": WEEK,
    "group_by": get_args(Trait),
}
"""What may stand where, for messages about mistakes."""
