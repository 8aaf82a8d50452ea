"""compose.yaml and the Dockerfile name things that exist: modules, settings, folders, and one Kafka version."""

import re
from importlib import util

from pydantic_settings import BaseSettings

from services.aggregator.settings import AggregatorSettings
from services.alerts.settings import AlertsSettings
from services.ingest.settings import IngestSettings
from tests.stack import ROOT

COMPOSE = (ROOT / "deploy/compose.yaml").read_text()
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
SETTINGS: dict[str, type[BaseSettings]] = {
    "INGEST": IngestSettings,
    "AGGREGATOR": AggregatorSettings,
    "ALERTS": AlertsSettings,
}


def test_the_services_that_are_started_exist() -> None:
    modules = re.findall(r'"-m", "([a-z.]+)"', COMPOSE)
    assert sorted(modules) == [
        "services.aggregator",
        "services.aggregator",
        "services.aggregator",
        "services.alerts",
        "services.ingest",
    ]
    assert all(util.find_spec(f"{module}.__main__") for module in modules)


def test_every_variable_is_a_setting() -> None:
    variables = re.findall(r"^    ((INGEST|AGGREGATOR|ALERTS)_([A-Z_]+)):", COMPOSE, re.MULTILINE)
    assert variables
    for _, service, field in variables:
        assert field.lower() in SETTINGS[service].model_fields


def test_health_is_asked_at_each_service_s_own_port() -> None:
    defaults = [IngestSettings.model_fields["port"], AggregatorSettings.model_fields["port"]]
    defaults += [AggregatorSettings.model_fields[f"{worker}_port"] for worker in ("customers", "sink")]
    defaults += [AlertsSettings.model_fields["port"]]
    asked = re.findall(r"127\.0\.0\.1:(\d+)/readyz", COMPOSE)
    assert asked == [str(field.default) for field in defaults]


def test_nothing_is_published_beyond_this_machine() -> None:
    published = re.findall(r"^ +- (.*:\d+)$", COMPOSE, re.MULTILINE)
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_tests_and_compose_use_the_same_kafka() -> None:
    pom = (ROOT / "deploy/apache-kafka/pom.xml").read_text()
    (version,) = re.findall(r"<kafka.version>([0-9.]+)<", pom)
    assert f"image: apache/kafka:{version}\n" in COMPOSE


def test_the_image_copies_what_there_is() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert all((ROOT / name).exists() for names in copied for name in names.split())
