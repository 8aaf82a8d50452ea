"""What `aftertouch up` prints when everything is ready: addresses, keys, and two lines to paste."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from deploy.up.credentials import DevKeys

PURPOSES = {
    "ingest": "POST /v1/feedback",
    "alerts": "GET /v1/alerts, with the server key",
    "windows": "health and metrics of the rolling scores",
    "customers": "health and metrics of the customers worker",
    "sink": "health and metrics of the way into ClickHouse",
    "clickhouse": "database feedback, for BI tools",
    "kafka": "topics feedback.*",
}
QUERY = "SELECT touchpoint, metric, window, n, score, score_low, score_high FROM feedback.current_scores"


def banner(urls: Mapping[str, str], keys: DevKeys, data: Path, own_clickhouse: bool) -> list[str]:
    """The lines, plain text, so that they read the same in a terminal and in a file."""
    rows = [(name, f"{urls[name]:<23}  {purpose}") for name, purpose in PURPOSES.items() if name in urls]
    rows += [("", ""), ("server key", keys.server), ("import key", keys.imports)]
    if own_clickhouse:
        rows.append(("BI login", f"user {keys.bi_user}, password {keys.bi_password}, read-only"))
    rows += [("keys in", str(data / "dev-keys.json")), ("logs in", str(data / "logs"))]
    lines = ["", "Aftertouch is ready.", "", *(f"  {name:<11} {value}".rstrip() for name, value in rows)]
    if "ingest" in urls:
        lines += ["", "Post a first answer:", post_line(urls["ingest"], keys.server)]
    if own_clickhouse:
        lines += ["", "See the scores:", scores_line(urls["clickhouse"], keys)]
    return [*lines, "", "Ctrl-C stops everything; the data stays."]


def post_line(ingest: str, key: str) -> str:
    """A curl command that posts one bad contact."""
    answer = '{"touchpoint": "checkout", "metric": "csat", "score": 2, "comment": "Nobody called me back"}'
    return (
        f"curl -sS {ingest}/v1/feedback -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d '{answer}'"
    )


def scores_line(clickhouse: str, keys: DevKeys) -> str:
    """A curl command that asks ClickHouse for the current scores."""
    login = urlencode({"user": keys.bi_user, "password": keys.bi_password})
    return f"curl -sS '{clickhouse}/?{login}' -d '{QUERY} FORMAT PrettyCompactMonoBlock'"
