"""What `aftertouch up` reads from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]


class UpSettings(BaseSettings):
    """Ports (0 takes a free one), where data is kept, and a Kafka and ClickHouse to use instead of ours."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    aftertouch_data: Path = Path("data")
    ingest_port: Port = 8000
    alerts_port: Port = 8001
    aggregator_port: Port = 8002
    aggregator_sink_port: Port = 8003
    clickhouse_port: Port = 8123
    kafka_port: Port = 9092
    kafka_bootstrap: str = ""
    clickhouse_url: str = ""

    @property
    def kafka_address(self) -> str:
        """The Kafka to use: given, or the embedded one at its port."""
        return self.kafka_bootstrap or f"127.0.0.1:{self.kafka_port}"

    @property
    def clickhouse_address(self) -> str:
        """The ClickHouse to use: given, or the embedded one at its port."""
        return self.clickhouse_url or f"http://default:@127.0.0.1:{self.clickhouse_port}"
