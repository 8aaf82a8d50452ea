"""Writes the README's tables from the code: `python -m tests.readme`. tests/test_docs.py compares them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import typer
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from deploy.cli import app, register_later
from deploy.up.settings import UpSettings
from schemas.metrics import METRICS
from schemas.rejections import REASONS
from schemas.topics import DAY_MS, TOPICS, Topic
from services.aggregator.settings import AggregatorSettings
from services.alerts.settings import AlertsSettings
from services.ingest.settings import IngestSettings

README = Path(__file__).resolve().parent.parent / "README.md"
SETTINGS: tuple[type[BaseSettings], ...] = (UpSettings, IngestSettings, AggregatorSettings, AlertsSettings)
ABOUT = {
    "events": "raw answers, one row each",
    "panes_1m": "counts per touchpoint, metric and minute, kept 35 days",
    "panes_1h": "counts per touchpoint, metric and hour",
    "alerts": "alerts in their present state",
    "rejected": "refused messages with the reason, kept 7 days",
    "current_scores": "rolling scores of 5 minutes, 1 hour, 24 hours and 7 days as of now",
    "rolling_scores": "the same windows as of every minute in which an answer came",
    "hourly_scores": "scores by the hour",
    "customer_recovery": "by touchpoint: customers with a bad contact, how many answered again, how many well, when",
    "top_drops": "what has fallen in the last 24 hours against the 28 days before, beyond chance",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def settings() -> str:
    """Every environment variable once."""
    rows: dict[str, list[str]] = {}
    for kind in SETTINGS:
        prefix = kind.model_config.get("env_prefix", "")
        for name, field in kind.model_fields.items():
            variable = str(field.validation_alias or f"{prefix}{name}").upper()
            rows.setdefault(variable, [f"`{variable}`", _default(field), field.description or ""])
    return table(["variable", "default", "meaning"], rows.values())


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
    return f"`{text}`" if text not in ("", "{}") else ""


def topics() -> str:
    """schemas/topics.py."""
    head = ["topic", "partitions", "message", "key", "written by", "read by", "kept"]
    rows = [
        [f"`{t.name}`", str(t.partitions), t.message, t.key, t.writers, t.readers, kept(t)] for t in TOPICS
    ]
    return table(head, rows)


def kept(topic: Topic) -> str:
    """How long a topic keeps its messages."""
    if "compact" in topic.config["cleanup.policy"]:
        return "the last of each key"
    return f"{int(topic.config['retention.ms']) // DAY_MS} days"


def metrics() -> str:
    """schemas/metrics.py."""
    rows = [[f"`{m.name}`", m.service, m.kind, ", ".join(m.labels), m.help] for m in METRICS]
    return table(["metric", "service", "kind", "labels", "meaning"], rows)


def reasons() -> str:
    """schemas/rejections.py."""
    return table(["reason", "meaning"], [[f"`{reason}`", text] for reason, text in REASONS.items()])


def relations() -> list[tuple[str, str]]:
    """('table' | 'view', name) in the order of the SQL files."""
    sql = "".join(
        file.read_text()
        for file in sorted((files("schemas") / "clickhouse").iterdir(), key=lambda file: file.name)
        if file.name.endswith(".sql")
    )
    found = re.findall(r"CREATE (?:OR REPLACE )?(TABLE|VIEW) (?:IF NOT EXISTS )?\$\{database\}\.(\w+)", sql)
    return [(kind.lower(), name) for kind, name in found]


def tables() -> str:
    """The tables and views of schemas/clickhouse."""
    return table(["name", "", "holds"], [[f"`{name}`", kind, ABOUT[name]] for kind, name in relations()])


def commands() -> str:
    """The subcommands of `aftertouch`, with the first sentence of their help."""
    register_later()
    found = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    rows = [[f"`aftertouch {name}`", _sentence(command.help or "")] for name, command in found.items()]
    return table(["command", "does"], rows)


def _sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


SECTIONS = {
    "reasons": reasons,
    "tables": tables,
    "commands": commands,
    "topics": topics,
    "settings": settings,
    "metrics": metrics,
}


def with_tables(text: str) -> str:
    """The README's text with every table as the code says it."""
    for name, write in SECTIONS.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text = re.sub(pattern, lambda m, write=write: m[1] + write() + "\n" + m[2], text, flags=re.S)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
