"""`aftertouch provision`: topics and tables in one go, with every trouble told as one sentence."""

from __future__ import annotations

from clickhouse_connect.driver.exceptions import ClickHouseError
from kafka.errors import KafkaError

from deploy.provision.differences import Difference, sentence
from deploy.provision.tables import DATABASE, apply_schema
from deploy.provision.topics import provision_topics
from deploy.up.failure import GAVE_UP, Failure
from deploy.up.probes import without_login


def topics(bootstrap: str, replication: int = 1) -> list[Difference]:
    """Bring the topics to their declaration; gives what differed before."""
    try:
        return provision_topics(bootstrap, replication)
    except KafkaError as error:
        raise Failure(f"The topics could not be made on Kafka at {bootstrap}: {error}", GAVE_UP) from error


def tables(clickhouse_url: str, cluster: str = "") -> int:
    """Bring the tables to their declaration; gives the number of statements run."""
    try:
        return apply_schema(clickhouse_url, DATABASE, cluster)
    except ClickHouseError as error:
        shown = without_login(clickhouse_url)
        raise Failure(f"The tables could not be made in ClickHouse at {shown}: {error}", GAVE_UP) from error


def report(differences: list[Difference], statements: int) -> list[str]:
    """What was done, line by line."""
    lines = [sentence(difference) for difference in differences] or ["The topics are as declared."]
    return [*lines, f"Database {DATABASE}: {statements} statements applied."]
