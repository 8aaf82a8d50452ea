"""Step 3 of 5 from signal to message: which receiver is told of an alert. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from schemas.alerts import Alert


class Receivers(Struct, frozen=True):
    """Webhook addresses: a team's own one goes before the one for everybody ("" is none)."""

    everybody: str
    by_team: Mapping[str, str]

    def of(self, alert: Alert) -> str:
        """The address for this alert, or "" when nobody is to be told."""
        return self.by_team.get(alert.team, self.everybody)

    def addressed(self, alert: Alert) -> Alert:
        """The alert, marked when there is nobody to tell."""
        return alert if self.of(alert) else replace(alert, delivery="not_configured")

    def addresses(self) -> list[str]:
        """Every address there is, once."""
        return sorted({self.everybody, *self.by_team.values()} - {""})
