"""Provisioning's decisions: which topics differ, and how the SQL files become statements."""

import pytest

from deploy.provision.differences import Difference, Existing, compare, sentence
from deploy.provision.statements import placeholders, schema_statements, statements
from schemas.topics import TOPICS, Topic

TOPIC = Topic("feedback.events", 12, "", "", "", "", {"cleanup.policy": "delete", "retention.ms": "1000"})


def _compared(partitions: int, **config: str) -> list[Difference]:
    named = {name.replace("_", "."): value for name, value in config.items()}
    return compare([TOPIC], {TOPIC.name: Existing(partitions, named)})


def test_a_topic_as_declared_is_left_alone() -> None:
    assert _compared(12, cleanup_policy="delete", retention_ms="1000", segment_bytes="5") == []


def test_a_missing_topic_is_made() -> None:
    (difference,) = compare([TOPIC], {})
    assert difference.missing
    assert sentence(difference) == "feedback.events: made, 12 partitions"


def test_only_differing_settings_are_set() -> None:
    (difference,) = _compared(12, cleanup_policy="delete", retention_ms="5")
    assert difference.config == {"retention.ms": "1000"}
    assert sentence(difference) == "feedback.events: retention.ms set to 1000"


@pytest.mark.parametrize("partitions", [3, 24])
def test_partitions_are_never_changed(partitions: int) -> None:
    (difference,) = _compared(partitions, cleanup_policy="delete", retention_ms="1000")
    assert difference.wrong_partitions
    assert f"has {partitions} partitions instead of 12, which is left as it is" in sentence(difference)


def test_statements_end_with_a_line_that_ends_in_a_semicolon() -> None:
    sql = "-- one; two\nCREATE x\n(\n    -- a comment;\n    a String COMMENT 'a;b'\n);\n\nSELECT 1;\n"
    assert statements(sql) == ["CREATE x\n(\n    a String COMMENT 'a;b'\n)", "SELECT 1"]


def test_an_unfinished_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="does not end with ';': SELECT 1"):
        statements("SELECT 1\n")


def test_on_one_node_nothing_is_replicated() -> None:
    text = "\n".join(schema_statements("feedback"))
    assert "ON CLUSTER" not in text
    assert "Replicated" not in text
    assert "non_replicated_deduplication_window" in text


def test_on_a_cluster_everything_is() -> None:
    on_cluster = schema_statements("feedback", "main")
    assert all("ON CLUSTER 'main'" in one.splitlines()[0] for one in on_cluster)
    tables = [one for one in on_cluster if one.startswith("CREATE TABLE")]
    assert all("ENGINE = Replicated" in one for one in tables)
    assert not any("non_replicated" in one for one in tables)


def test_every_placeholder_of_the_contract_is_known() -> None:
    assert "${" not in "\n".join(schema_statements("feedback", "main"))
    assert set(placeholders("feedback")) == {"database", "on_cluster", "replicated", "deduplication_window"}


def test_every_topic_of_the_contract_says_how_it_is_cleaned() -> None:
    assert all(topic.config.get("cleanup.policy") in ("delete", "compact") for topic in TOPICS)
