"""Who can be told: every kind is read, and what is wrong is named."""

from __future__ import annotations

import tomllib
from typing import get_args

import msgspec
import pytest

from schemas.receivers import Receiver, Secret, Slack, Webhook

EACH = {
    "slack": 'webhook = {env = "SLACK"}',
    "teams": 'webhook = {file = "/run/teams"}',
    "email": 'to = ["cx@shop.example"]\nsender = "a@shop.example"\nhost = "smtp.shop.example"',
    "pagerduty": 'routing_key = "r"',
    "opsgenie": 'api_key = "o"\nregion = "eu"',
    "webhook": 'url = "https://hooks.example"',
    "zendesk": 'url = "https://shop.zendesk.com"\nemail = "a@shop.example"\ntoken = "t"',
    "freshdesk": 'url = "https://shop.freshdesk.com"\napi_key = "k"\nrequester = "cx@shop.example"',
    "salesforce": 'url = "https://shop.my.salesforce.com"\nclient_id = "c"\nclient_secret = "s"',
    "activecampaign": 'url = "https://shop.api-us1.com"\napi_key = "k"\ntag = "win-back"',
    "apprise": 'url = "matrix://token@room"',
}


def read(kind: str, fields: str) -> Receiver:
    receiver: Receiver = msgspec.convert(
        tomllib.loads(f'kind = "{kind}"\nname = "cx"\n{fields}'), type=Receiver
    )
    return receiver


@pytest.mark.parametrize("kind", EACH)
def test_every_kind_is_read(kind: str) -> None:
    assert read(kind, EACH[kind]).__struct_config__.tag == kind


def test_no_kind_is_left_out() -> None:
    assert {one.__struct_config__.tag for one in get_args(Receiver)} == set(EACH)


def test_a_secret_is_text_or_where_it_is() -> None:
    slack, webhook = read("slack", EACH["slack"]), read("webhook", EACH["webhook"])
    assert isinstance(slack, Slack)
    assert isinstance(webhook, Webhook)
    assert (slack.webhook, webhook.url) == (Secret(env="SLACK"), "https://hooks.example")


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("teams", "", "missing required field `webhook`"),
        ("teams", 'webhook = "w"\ncolour = "red"', "unknown field `colour`"),
        ("teams", 'webhook = {env = "A", file = "b"}', "a secret is text"),
        ("slack", "", "give webhook, or token and channel"),
        ("slack", 'token = "xoxb"', "channel: a token needs one"),
        ("webhook", 'url = "u"\nlanguage = "de"', "$.language"),
        ("email", 'to = []\nsender = "a"\nhost = "h"', "$.to"),
        ("telegram", "", "Invalid value 'telegram' - at `$.kind`"),
    ],
)
def test_what_is_wrong_is_named(kind: str, fields: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        read(kind, fields)
    assert said in str(refused.value)
