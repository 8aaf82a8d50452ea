"""Every alert in memory: what the next signal is compared with, and what the API lists, newest first."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import Struct

from schemas.alerts import Alert
from services.alerts.lifecycle import is_forgettable


class Position(Struct, frozen=True, order=True, array_like=True):
    """Where an alert stands among those of its workspace."""

    opened_at: datetime
    alert_id: str


class Page(Struct, frozen=True):
    """Some alerts, newest first, and the position after which more follow (None: no more)."""

    alerts: list[Alert]
    following: Position | None


class AlertStore:
    """The present state of all alerts."""

    def __init__(self) -> None:
        self._by_id: dict[str, Alert] = {}
        self._order: dict[str, list[Position]] = {}
        self._open = 0

    @property
    def open_count(self) -> int:
        """Alerts that are not resolved."""
        return self._open

    def __iter__(self) -> Iterator[Alert]:
        return iter(list(self._by_id.values()))

    def find(self, alert_id: str) -> Alert | None:
        """The alert with this id."""
        return self._by_id.get(alert_id)

    def put(self, alert: Alert) -> None:
        """Take in a state of an alert, unless a newer one is known."""
        known = self._by_id.get(alert.alert_id)
        if known is not None:
            if known.version > alert.version:
                return
            self.remove(alert.alert_id)
        self._by_id[alert.alert_id] = alert
        insort(self._order.setdefault(alert.workspace, []), _position(alert))
        self._open += alert.state != "resolved"

    def remove(self, alert_id: str) -> None:
        """Forget an alert, if it is known."""
        if (alert := self._by_id.pop(alert_id, None)) is None:
            return
        order = self._order[alert.workspace]
        del order[bisect_left(order, _position(alert))]
        self._open -= alert.state != "resolved"

    def pending(self) -> list[Alert]:
        """Alerts whose receiver has yet to be told, longest waiting first."""
        waiting = [alert for alert in self._by_id.values() if alert.delivery == "pending"]
        return sorted(waiting, key=lambda alert: alert.changed_at)

    def forgettable(self, now: datetime) -> list[Alert]:
        """Alerts that nobody needs any more."""
        return [alert for alert in self._by_id.values() if is_forgettable(alert, now)]

    def page(
        self, workspace: str, wanted: Callable[[Alert], bool], after: Position | None, limit: int
    ) -> Page:
        """At most `limit` wanted alerts of a workspace that are older than `after`."""
        order = self._order.get(workspace, [])
        found: list[Alert] = []
        for at in range((bisect_left(order, after) if after else len(order)) - 1, -1, -1):
            alert = self._by_id[order[at].alert_id]
            if not wanted(alert):
                continue
            if len(found) == limit:
                return Page(found, _position(found[-1]))
            found.append(alert)
        return Page(found, None)


def _position(alert: Alert) -> Position:
    return Position(alert.opened_at, alert.alert_id)
