"""Step 4 of 5 from signal to message: what one receiver is to be told, and who can tell it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from schemas.alerts import Alert
from schemas.receivers import Language
from services.alerts.notify.verdict import Delivered, Drop, Verdict

NoticeKind = Literal["firing", "update", "escalated", "resolved", "digest", "test"]


class Notice(Struct, frozen=True, kw_only=True):
    """One thing to tell one receiver. `notice_id` is the same for every try, so that repetitions can be left out.

    The first `news` of `alerts` are what it is about, newest first; then come the newest others of the group, `total`
    alerts in all, whose key is `group`. `firing` is the first message of a group with nothing open, `update` says that
    more fire or that some still do, `resolved` that all it is about is over. A `digest` has the newest of `held_back`
    alerts that were muted.
    """

    notice_id: str
    receiver: str
    kind: NoticeKind
    alerts: tuple[Alert, ...]
    total: int
    news: int = 1
    group: str = ""
    held_back: int = 0
    language: Language = "en"
    at: datetime


class Sender(Protocol):
    """One kind of receiver."""

    async def send(self, notice: Notice) -> Verdict:
        """Tell it. Trouble of any kind is a verdict, no exception."""


class Outbox(Protocol):
    """Where notices wait for their receivers, one line for each."""

    def offer(self, notice: Notice) -> bool:
        """Put a notice into its receiver's line, at once; once, if it is there already. False: there is no such
        receiver, or too many wait."""


class Ledger(Protocol):
    """Where it is written down what became of notices."""

    async def record(self, notice: Notice, outcome: Delivered | Drop, tries: int) -> None:
        """Write it down. Returns when that is durable; only then may the line forget the notice."""

    async def may_send(self) -> bool:
        """Whether this process is the one that delivers: asked right before every try."""
