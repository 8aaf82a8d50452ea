"""What a person sees who starts the service with something wrong, and what the settings mean."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import structlog

from schemas.keys import write_keys
from services.alerts.__main__ import CannotStart, Service, load_settings, main, serve
from services.alerts.clients import KafkaUnavailable, connect
from services.alerts.notify.receivers import Receivers
from services.alerts.settings import AlertsSettings, signing_key
from tests.alerts.examples import BAD, KEYS, RING, opened


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("ALERTS_PORT", "sneaky", "ALERTS_PORT: Input should be a valid integer"),
        (
            "ALERTS_WEBHOOK_URL",
            "sneaky.example",
            "ALERTS_WEBHOOK_URL: must be an http:// or https:// address.",
        ),
        ("ALERTS_WEBHOOK_SECRET", "sneaky", "ALERTS_WEBHOOK_SECRET: must be whsec_ followed by base64."),
        ("ALERTS_TEAM_WEBHOOKS", "sneaky", "ALERTS_TEAM_WEBHOOKS is not a JSON map from team to address."),
        ("ALERTS_TEAM_WEBHOOKS", '{"a": "sneaky"}', "ALERTS_TEAM_WEBHOOKS: must be an http://"),
        ("ALERTS_LOG_LEVEL", "sneaky", "ALERTS_LOG_LEVEL: Input should be"),
        ("KAFKA_BOOTSTRAP", "", "KAFKA_BOOTSTRAP: String should have at least 1 character."),
    ],
)
def test_a_bad_setting_is_one_sentence_without_its_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(CannotStart, match="^" + sentence.replace(".", r"\.")) as wrong:
        load_settings()
    assert "sneaky" not in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in AlertsSettings.model_fields.values())
    assert len(AlertsSettings.model_fields) <= 15


def test_defaults_tell_nobody_and_listen_on_this_machine_only() -> None:
    settings = AlertsSettings()
    assert (settings.host, settings.port, settings.webhook_url) == ("127.0.0.1", 8001, "")
    assert settings.kafka_bootstrap == "127.0.0.1:9092"


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_WEBHOOK_SECRET", "whsec_c25lYWt5")
    assert "c25lYWt5" not in repr(AlertsSettings())
    assert signing_key("whsec_c25lYWt5") == b"sneaky"


def test_a_team_s_receiver_goes_before_everybody_s() -> None:
    alert = opened(BAD)
    assert Receivers("http://all.example", {"billing": "http://billing.example"}).of(alert) == (
        "http://billing.example"
    )
    assert (
        Receivers("http://all.example", {"phone": "http://phone.example"}).of(alert) == "http://all.example"
    )
    assert Receivers("", {}).of(alert) == ""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory; set ALERTS_KEYS_FILE to the file with the keys"),
        ("{}", "the keys file is not a JSON list of keys"),
    ],
)
def test_without_a_keys_file_it_does_not_start(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    why: str,
) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("ALERTS_KEYS_FILE", str(path))
    assert main() == 2
    said = capsys.readouterr().err
    assert said.startswith(f"alerts cannot start: ALERTS_KEYS_FILE {path}: {why}")
    assert said.count("\n") == 1


def test_a_port_in_use_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(write_keys(KEYS))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("ALERTS_KEYS_FILE", str(path))
        monkeypatch.setenv("ALERTS_PORT", port)
        assert main() == 2
    assert capsys.readouterr().err == (
        f"alerts cannot start: cannot listen on 127.0.0.1:{port}: Address already in use;"
        " set ALERTS_PORT to another\n"
    )


async def test_kafka_that_does_not_answer_is_given_up_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        with pytest.raises(
            KafkaUnavailable, match=f"^Kafka at {nowhere} was not ready within 0.2 s: it does not"
        ):
            await connect(nowhere, stack, patience=0.2)


class Torn(Service):
    """A service whose work cannot go on."""

    async def run(self) -> None:
        raise ExceptionGroup("one of two tasks", [OSError("the log\nis gone")])


@pytest.fixture
def own_signals() -> Iterator[None]:
    """Puts back the handlers that serving replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
async def test_when_the_work_cannot_go_on_it_ends_with_one_line_that_says_why() -> None:
    with structlog.testing.capture_logs() as lines:
        code = await serve(Torn(AlertsSettings(), RING), socket.create_server(("127.0.0.1", 0)))
    assert code == 1
    (line,) = lines
    assert (line["log_level"], line["error"]) == ("critical", "OSError('the log\\nis gone')")
