"""kill -9 in the middle of inserts: a client retrying with the same token finds each batch exactly once."""

import http.client
import json
import threading
from pathlib import Path

from tests.embedded.clickhouse.server import Launch, Server, reusable_port, until

BATCH = 200


class Writer(threading.Thread):
    """Sends numbered batches one after the other, each until it is acknowledged."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.acknowledged = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            if self._send(self.acknowledged):
                self.acknowledged += 1
            else:
                self.stopping.wait(0.02)

    def _send(self, batch: int) -> bool:
        rows = "\n".join(json.dumps({"batch": batch, "row": row}) for row in range(BATCH))
        try:
            status, _, _ = self.server.ask(
                rows,
                query="INSERT INTO ledger FORMAT JSONEachRow",
                insert_deduplication_token=f"batch-{batch}",
            )
        except (OSError, http.client.HTTPException):
            return False
        return status == 200


def test_every_acknowledged_batch_is_there_once(launch: Launch, tmp_path: Path) -> None:
    server = launch(tmp_path / "data", port=reusable_port())
    server.text(
        "CREATE TABLE ledger (batch UInt32, row UInt32) ENGINE = MergeTree ORDER BY (batch, row) "
        "SETTINGS non_replicated_deduplication_window = 10000"
    )
    writer = Writer(server)
    writer.start()
    for _ in range(3):
        goal = writer.acknowledged + 15
        until(lambda goal=goal: writer.acknowledged >= goal, 20, "batches are acknowledged")  # type: ignore[misc]
        server.end()
        server = launch(tmp_path / "data", port=server.port)
    goal = writer.acknowledged + 5
    until(lambda: writer.acknowledged >= goal, 20, "batches are acknowledged after the last kill")
    writer.stopping.set()
    writer.join(20)
    found = server.text("SELECT batch, count(), uniqExact(row) FROM ledger GROUP BY batch ORDER BY batch")
    assert found.splitlines() == [f"{batch}\t{BATCH}\t{BATCH}" for batch in range(writer.acknowledged)]
    assert server.stop() == 0
