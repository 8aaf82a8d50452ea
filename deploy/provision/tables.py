"""Applies the contract's SQL to ClickHouse; every statement can be run again."""

from __future__ import annotations

import clickhouse_connect

from deploy.provision.statements import schema_statements

DATABASE = "feedback"


def apply_schema(clickhouse_url: str, database: str = DATABASE, cluster: str = "") -> int:
    """Create or update tables, functions and views; gives the number of statements that were run."""
    todo = schema_statements(database, cluster)
    client = clickhouse_connect.get_client(dsn=clickhouse_url, autogenerate_session_id=False)
    try:
        for statement in todo:
            client.command(statement)
    finally:
        client.close()
    return len(todo)


def missing_tables(clickhouse_url: str, database: str = DATABASE) -> list[str]:
    """Names of the declared tables and views that this ClickHouse does not have."""
    client = clickhouse_connect.get_client(
        dsn=clickhouse_url, autogenerate_session_id=False, connect_timeout=3
    )
    try:
        found = client.query(
            "SELECT name FROM system.tables WHERE database = {database:String}",
            parameters={"database": database},
        )
    finally:
        client.close()
    return sorted(declared_tables(database) - {row[0] for row in found.result_rows})


def declared_tables(database: str = DATABASE) -> set[str]:
    """Names of the tables and views that the contract creates."""
    prefix = f" {database}."
    heads = (one.splitlines()[0].split("(")[0] for one in schema_statements(database))
    return {head.split(prefix)[1].split()[0] for head in heads if prefix in head}
