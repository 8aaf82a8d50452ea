"""What an operator can set for ingest, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_BROKER = r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}"


class IngestSettings(BaseSettings):
    """Every setting has a default that suits one machine."""

    model_config = SettingsConfigDict(
        env_prefix="INGEST_", frozen=True, populate_by_name=True, extra="ignore"
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    keys_file: Path = Field(
        default=Path("data/keys.json"),
        description="JSON list of keys: name, sha256, workspace, scopes; read at start",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least important lines that are logged"
    )
    body_limit_bytes: int = Field(
        default=1_048_576, ge=1024, le=16_777_216, description="Largest request body"
    )
    read_timeout_seconds: float = Field(
        default=15.0,
        gt=0,
        le=300,
        description="How long a request body may take to arrive before it is answered with 408",
    )
    publish_timeout_seconds: float = Field(
        default=8.0,
        gt=0,
        le=60,
        description="How long Kafka may take to acknowledge before the answer is 503",
    )
    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        validation_alias="KAFKA_BOOTSTRAP",
        pattern=rf"^{_BROKER}(,\s*{_BROKER})*$",
        description="Kafka brokers to start from: host:port, separated by commas",
    )
