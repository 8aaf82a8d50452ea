"""The README's table of APIs says what the registry serves, and the broker advertises no more and no less."""

import re
from pathlib import Path

from kafka.protocol.metadata import ApiVersionsRequest

import deploy.embedded.kafka
from deploy.embedded.kafka.registry import REGISTRY
from tests.embedded.kafka.process import BrokerProcess
from tests.embedded.kafka.wire import Wire

README = Path(str(deploy.embedded.kafka.__file__)).with_name("README.md")


def test_table_is_the_registry() -> None:
    rows = re.findall(r"^\| (\w+) \| (\d+)(?:-(\d+))? \|", README.read_text(), re.MULTILINE)
    written = {name: (int(oldest), int(newest or oldest)) for name, oldest, newest in rows}
    assert written == {api.name: (api.min_version, api.max_version) for api in REGISTRY.values()}


def test_advertisement_is_the_registry(broker: BrokerProcess) -> None:
    with Wire(broker.endpoint) as wire:
        answer = wire.ask(ApiVersionsRequest(version=0))
    advertised = {each.api_key: (each.min_version, each.max_version) for each in answer.api_keys}
    assert advertised == {key: (api.min_version, api.max_version) for key, api in REGISTRY.items()}


def test_versions_are_ones_the_protocol_defines() -> None:
    """kafka-python decodes versions older than it lays out rightly; only Produce is advertised below them."""
    for api in REGISTRY.values():
        oldest, newest = api.request.valid_versions
        assert api.max_version <= newest
        assert api.min_version >= oldest or api.name == "Produce"
