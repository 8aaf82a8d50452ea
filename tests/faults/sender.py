"""A well-behaved client: posts a batch again until it is told 202, and only then notes it in the ledger."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import urllib3

from tests.faults.ledger import Answers, Ledger
from tests.stack import Stack, request, wait_for

PATIENCE_SECONDS = 150.0
PAUSE_SECONDS = 0.2
"""Before a batch that was not acknowledged is sent again."""
NO_ANSWER = 0


class Sender:
    """Posts to the stack's ingest; `statuses` counts what it was told. Several threads may send."""

    def __init__(self, stack: Stack, ledger: Ledger) -> None:
        self.statuses: Counter[int] = Counter()
        self.ledger = ledger
        self._url = f"{stack.url('ingest')}/v1/feedback"
        self._headers = {
            "Authorization": f"Bearer {stack.keys['server']}",
            "Content-Type": "application/json",
        }

    def send(self, answers: Answers, batch: int, rate: float = float("inf")) -> None:
        """Post all, at no more than `rate` answers a second."""
        begun, pause = time.monotonic(), threading.Event()
        for start in range(0, len(answers), batch):
            pause.wait(max(0.0, begun + start / rate - time.monotonic()))
            self.post(answers[start : start + batch])

    def post(self, batch: Answers) -> None:
        """Post one batch until it is acknowledged as a whole."""
        body = json.dumps(batch).encode()
        pause = threading.Event()

        def acknowledged() -> bool:
            status, receipt = self._once(body)
            self.statuses[status] += 1
            if status == 202:
                assert json.loads(receipt) == {"accepted": len(batch), "rejected": []}
                return True
            pause.wait(PAUSE_SECONDS)
            return False

        wait_for(acknowledged, PATIENCE_SECONDS, "a batch is acknowledged")
        self.ledger.acknowledge(batch)

    @contextmanager
    def sending(self, answers: Answers, batch: int, rate: float = float("inf")) -> Iterator[None]:
        """Post all while the body of the `with` goes on; leaves when all is acknowledged."""
        with ThreadPoolExecutor(1, "sender") as pool:
            sent = pool.submit(self.send, answers, batch, rate)
            yield
            sent.result()

    def _once(self, body: bytes) -> tuple[int, bytes]:
        try:
            return request("POST", self._url, body, self._headers)
        except urllib3.exceptions.HTTPError:
            return NO_ANSWER, b""
