"""What `aftertouch up` prints when everything is ready: addresses, keys, and two lines to paste."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from deploy.up.credentials import DevKeys

QUERY = "SELECT touchpoint, metric, window, n, score, score_low, score_high FROM feedback.current_scores"


def banner(urls: Mapping[str, str], keys: DevKeys, data: Path) -> list[str]:
    """The lines, plain text, so that they read the same in a terminal and in a file."""
    rows = [(name, urls[name]) for name in urls]
    rows += [("server key", keys.server), ("import key", keys.imports)]
    rows += [("BI login", f"user {keys.bi_user}, password {keys.bi_password}, database feedback, read-only")]
    rows += [("logs", f"{data / 'logs'}/NAME.log"), ("keys", str(data / "dev-keys.json"))]
    lines = ["Aftertouch is ready.", ""]
    lines += [f"  {name:<11} {value}" for name, value in rows]
    if "ingest" in urls:
        lines += ["", "Post a first answer:", post_line(urls["ingest"], keys.server)]
    if "clickhouse" in urls:
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
