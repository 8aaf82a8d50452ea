"""The settings of all aggregator workers."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AggregatorSettings(BaseSettings):
    """Read from the environment; durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix="AGGREGATOR_", frozen=True)

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        validation_alias="KAFKA_BOOTSTRAP",
        description="Kafka, as host:port[,host:port]",
    )
    clickhouse_url: str = Field(
        default="http://default:@127.0.0.1:8123",
        validation_alias="CLICKHOUSE_URL",
        description="ClickHouse's HTTP interface, with user and password",
    )
    host: str = Field(default="127.0.0.1", description="Address of the admin endpoints")
    port: int = Field(default=8002, description="Port of the windows worker's admin endpoints")
    sink_port: int = Field(default=8003, description="Port of the sink worker's admin endpoints")
    customers_port: int = Field(default=8004, description="Port of the customers worker's admin endpoints")
    data_dir: Path = Field(
        default=Path("data/aggregator"), description="Where Faust keeps what it insists on keeping"
    )
    flush_seconds: float = Field(
        default=0.2,
        gt=0,
        description="Time from an answer to its scores, longer under load; signals do not wait",
    )
    commit_seconds: float = Field(
        default=1.0,
        gt=0,
        description="Time from an answer to the commit, longer under load: so much is folded again after a crash",
    )
    sink_flush_seconds: float = Field(
        default=0.5, gt=0, description="Longest time that a row waits for its INSERT"
    )
    sink_batch_rows: int = Field(default=20_000, gt=0, description="Rows after which an INSERT does not wait")
    remember_ids_hours: float = Field(
        default=24, ge=24, description="How long a repeated event_id is recognised"
    )
    repeat_within_days: float = Field(
        default=30,
        gt=0,
        le=366,
        description="Days within which a customer's second bad contact is told as a repeated one",
    )
    rules_file: Path = Field(
        default=Path("data/rules.toml"),
        description="Rules of drop detection (docs/rules.md), looked at once a minute; without a file the defaults",
    )
    poison_in_a_row: int = Field(
        default=100,
        ge=0,
        le=1000,
        description="So many unreadable messages in a row of a partition stop the windows worker; 0: never",
    )
    poison_share: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="More than this share of a partition's last 1,000 messages unreadable stop it; 1: never",
    )
    session_timeout_seconds: float = Field(
        default=12, ge=6, description="How long a worker may be silent before others take its partitions"
    )
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe log level"
    )
