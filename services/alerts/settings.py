"""Before the path begins: what the alerts service can be told by its environment."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("must be an http:// or https:// address")
    return url


def _signing_secret(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value():
        signing_key(secret.get_secret_value())
    return secret


def signing_key(secret: str) -> bytes:
    """The bytes of a Standard Webhooks secret `whsec_<base64>`; ValueError when it is none."""
    encoded = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not key or encoded == secret:
        raise ValueError("must be whsec_ followed by base64")
    return key


WebAddress = Annotated[str, AfterValidator(_web_address)]


class AlertsSettings(BaseSettings):
    """Settings of the alerts service, each an environment variable with the prefix ALERTS_."""

    model_config = SettingsConfigDict(
        env_prefix="ALERTS_", frozen=True, populate_by_name=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = Field(default="127.0.0.1", description="Address the HTTP API listens on")
    port: int = Field(
        default=8001, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one and logs it"
    )
    keys_file: Path = Field(
        default=Path("data/keys.json"),
        description="JSON list of keys: name, sha256, workspace, scopes; read at start",
    )
    webhook_url: WebAddress = Field(
        default="", description="Where alerts are posted; empty: alerts are listed, nobody is told"
    )
    webhook_secret: Annotated[SecretStr, AfterValidator(_signing_secret)] = Field(
        default=SecretStr(""),
        description="Standard Webhooks secret (whsec_...) that signs every post; empty: unsigned",
    )
    team_webhooks: dict[str, WebAddress] = Field(
        default={}, description='JSON map from team to its own webhook, {"billing": "https://..."}'
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least level that is logged"
    )
    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        validation_alias="KAFKA_BOOTSTRAP",
        min_length=1,
        description="Kafka brokers to start from: host:port, separated by commas",
    )


def explain(error: ValidationError | SettingsError) -> str:
    """One sentence on what is wrong with the settings. It never repeats a value, which may be secret."""
    if isinstance(error, SettingsError):
        return "ALERTS_TEAM_WEBHOOKS is not a JSON map from team to address."
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    variable = name if name == "KAFKA_BOOTSTRAP" else f"ALERTS_{name.upper()}"
    return f"{variable}: {first['msg'].removeprefix('Value error, ')}."
