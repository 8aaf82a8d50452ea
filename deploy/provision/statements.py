"""Turns the SQL files of schemas/clickhouse into single statements, for one node or for a cluster."""

from __future__ import annotations

from importlib import resources
from string import Template


def statements(sql: str) -> list[str]:
    """The statements of a file: each ends with a line that ends in ';'. Comment lines are left out."""
    found: list[str] = []
    lines: list[str] = []
    for line in sql.splitlines():
        if line.lstrip().startswith("--") or not line.strip():
            continue
        lines.append(line.rstrip())
        if lines[-1].endswith(";"):
            found.append("\n".join(lines)[:-1])
            lines = []
    if lines:
        raise ValueError(f"the last statement does not end with ';': {lines[0]}")
    return found


def placeholders(database: str, cluster: str = "") -> dict[str, str]:
    """What the ${names} of the files stand for; `cluster` is empty on a single node."""
    return {
        "database": database,
        "on_cluster": f"ON CLUSTER '{cluster}'" if cluster else "",
        "replicated": "Replicated" if cluster else "",
        "deduplication_window": f"{'' if cluster else 'non_'}replicated_deduplication_window",
    }


def schema_files() -> list[tuple[str, str]]:
    """Name and text of each SQL file of the contract, in the order in which they are applied."""
    folder = resources.files("schemas") / "clickhouse"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name)
    return [(file.name, file.read_text(encoding="utf-8")) for file in files]


def schema_statements(database: str, cluster: str = "") -> list[str]:
    """Every statement of the contract, ready to be run."""
    values = placeholders(database, cluster)
    return [one for _, text in schema_files() for one in statements(Template(text).substitute(values))]
