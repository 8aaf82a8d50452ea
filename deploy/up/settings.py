"""What `aftertouch up` reads from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.up.failure import CANNOT_START, Failure

Port = Annotated[int, Field(ge=0, le=65535)]


class UpSettings(BaseSettings):
    """Ports (0 takes a free one), where data is kept, and a Kafka and ClickHouse to use instead of ours."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    aftertouch_data: Path = Field(
        default=Path("data"), description="Directory of keys, logs and the embedded stores' data"
    )
    ingest_port: Port = Field(default=8000, description="Port of ingest")
    alerts_port: Port = Field(default=8001, description="Port of alerts")
    aggregator_port: Port = Field(default=8002, description="Port of the windows worker's health and metrics")
    aggregator_sink_port: Port = Field(default=8003, description="Port of the sink's health and metrics")
    aggregator_customers_port: Port = Field(
        default=8004, description="Port of the customers worker's health and metrics"
    )
    clickhouse_port: Port = Field(default=8123, description="Port of the embedded ClickHouse")
    kafka_port: Port = Field(default=9092, description="Port of the embedded Kafka broker")
    kafka_bootstrap: str = Field(
        default="", description="Kafka to use instead of the embedded broker, as host:port[,host:port]"
    )
    clickhouse_url: str = Field(
        default="", description="ClickHouse to use instead of the embedded one, with user and password"
    )

    @property
    def kafka_address(self) -> str:
        """The Kafka to use: given, or the embedded one at its port."""
        return self.kafka_bootstrap or f"127.0.0.1:{self.kafka_port}"

    @property
    def clickhouse_address(self) -> str:
        """The ClickHouse to use: given, or the embedded one at its port."""
        return self.clickhouse_url or f"http://default:@127.0.0.1:{self.clickhouse_port}"


def checked_settings() -> UpSettings:
    """The settings of the environment. Raises Failure that names the first wrong one."""
    try:
        return UpSettings()
    except ValidationError as error:
        wrong = error.errors()[0]
        raise Failure(f"{str(wrong['loc'][0]).upper()}: {wrong['msg']}", CANNOT_START) from None
