"""Step 4 of 5 from signal to message: what one receiver is to be told, and who can tell it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from schemas.alerts import Alert
from schemas.receivers import Language
from services.alerts.notify.verdict import Verdict

NoticeKind = Literal["firing", "update", "escalated", "resolved", "digest", "test"]


class Notice(Struct, frozen=True, kw_only=True):
    """One thing to tell one receiver. `notice_id` is the same for every try, so that repetitions can be left out.

    `alerts` has the one it is about first, then the newest others of its group; `total` is the size of the whole
    group, `held_back` how many alerts were muted since the last notice.
    """

    notice_id: str
    receiver: str
    kind: NoticeKind
    alerts: tuple[Alert, ...]
    total: int
    held_back: int = 0
    language: Language = "en"
    at: datetime


class Sender(Protocol):
    """One kind of receiver."""

    async def send(self, notice: Notice) -> Verdict:
        """Tell it. Trouble of any kind is a verdict, no exception."""
