"""Step 4 of 5 from signal to message: one HTTP POST in the form of the Standard Webhooks specification."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

import aiohttp
import msgspec

from schemas.alerts import Alert
from services.alerts.notify.verdict import Retry, Verdict, judge

TIMEOUT_SECONDS = 10.0

_PLAIN = str.maketrans({"<": "‹", ">": "›", "@": "@\u200b"})


class Webhook:
    """Posts alerts; `key` signs them, b"" leaves them unsigned."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        key: bytes,
        clock: Callable[[], datetime],
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._session, self._key, self._clock = session, key, clock
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)

    async def post(self, url: str, alert: Alert) -> Verdict:
        """Tell one receiver of one alert's present state. Network trouble is a verdict, no exception."""
        now = self._clock()
        body = body_of(alert, now)
        try:
            async with self._session.post(
                url,
                data=body,
                headers=headers_of(message_id(alert), now, body, self._key),
                allow_redirects=False,
                timeout=self._timeout,
            ) as answer:
                return judge(answer.status, answer.headers.get("Retry-After", ""), now)
        except TimeoutError:
            return Retry(f"no answer within {self._timeout.total:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Retry(f"no connection ({type(error).__name__})")


def message_id(alert: Alert) -> str:
    """The same for every try to tell of the same state, so that a receiver can leave out repetitions."""
    return f"{alert.alert_id}_{alert.state}"


def body_of(alert: Alert, now: datetime) -> bytes:
    """The JSON that is posted. Chat tools show its `text`; customers' words cannot mention or link in it."""
    return msgspec.json.encode(
        {
            "type": "alert.resolved" if alert.state == "resolved" else "alert.firing",
            "timestamp": now,
            "data": msgspec.structs.asdict(alert),
            "text": f"{alert.title}\n{alert.message}".translate(_PLAIN),
        }
    )


def headers_of(webhook_id: str, now: datetime, body: bytes, key: bytes) -> dict[str, str]:
    """Standard Webhooks headers; the signature covers id, timestamp and body."""
    stamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "aftertouch-alerts",
        "webhook-id": webhook_id,
        "webhook-timestamp": stamp,
    }
    if key:
        signed = hmac.digest(key, f"{webhook_id}.{stamp}.".encode() + body, hashlib.sha256)
        headers["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
    return headers
