"""Who can be told: the tables [[receiver]] of rules.toml, one type for each `kind`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Language = Literal["en", "pl"]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\Z")]
Text = Annotated[str, Meta(min_length=1, max_length=2048)]
Address = Annotated[str, Meta(pattern=r"^https?://[^\s/]+", max_length=2048)]


class Secret(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is: `{env = "NAME"}` or `{file = "path"}`, exactly one of them."""

    env: Text | None = None
    file: Text | None = None

    def __post_init__(self) -> None:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret is text, {env = NAME} or {file = path}")


SecretText = Text | Secret


class Slack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="slack"):
    """An incoming webhook, or a bot token and a channel: then a growing group edits its own message."""

    name: Name
    language: Language = "en"
    webhook: SecretText | None = None
    token: SecretText | None = None
    channel: Text | None = None
    signing_secret: SecretText | None = None

    def __post_init__(self) -> None:
        if (self.webhook is None) == (self.token is None):
            raise ValueError("give webhook, or token and channel")
        if self.token is not None and self.channel is None:
            raise ValueError("channel: a token needs one")


class Teams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="teams"):
    """The address of a Workflow that posts to a channel."""

    name: Name
    language: Language = "en"
    webhook: SecretText


class Email(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="email"):
    """Addresses that are written to through one SMTP server."""

    name: Name
    language: Language = "en"
    to: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=50)]
    sender: Text
    host: Text
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Text | None = None
    password: SecretText | None = None


class PagerDuty(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="pagerduty"
):
    """A service with an Events API v2 integration."""

    name: Name
    language: Language = "en"
    routing_key: SecretText


class Opsgenie(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="opsgenie"
):
    """A team with an API integration."""

    name: Name
    language: Language = "en"
    api_key: SecretText
    region: Literal["us", "eu"] = "us"


class Webhook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="webhook"):
    """Any address; `secret` (whsec_...) signs what is posted."""

    name: Name
    language: Language = "en"
    url: SecretText
    secret: SecretText | None = None


class Zendesk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="zendesk"):
    """Opens a ticket for each alert; `solve` closes it when the alert is resolved."""

    name: Name
    language: Language = "en"
    url: Address
    email: Text
    token: SecretText
    solve: bool = False


class Freshdesk(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="freshdesk"
):
    """Opens a ticket for each alert; `solve` closes it when the alert is resolved."""

    name: Name
    language: Language = "en"
    url: Address
    api_key: SecretText
    requester: Text
    solve: bool = False


class Salesforce(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="salesforce"
):
    """Opens a case for each alert, found again by the external id in `id_field`."""

    name: Name
    language: Language = "en"
    url: Address
    client_id: Text
    client_secret: SecretText
    id_field: Text = "Aftertouch_Alert_Id__c"
    solve: bool = False


class ActiveCampaign(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="activecampaign"
):
    """Tags the contact of a customer for a win-back automation."""

    name: Name
    language: Language = "en"
    url: Address
    api_key: SecretText
    tag: Text


class Apprise(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="apprise"):
    """Any service that the apprise library knows, by its address."""

    name: Name
    language: Language = "en"
    url: SecretText


Receiver = (
    Slack
    | Teams
    | Email
    | PagerDuty
    | Opsgenie
    | Webhook
    | Zendesk
    | Freshdesk
    | Salesforce
    | ActiveCampaign
    | Apprise
)
"""What one table [[receiver]] can be."""
