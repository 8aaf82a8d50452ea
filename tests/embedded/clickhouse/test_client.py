"""clickhouse-connect, synchronous: what the services and pandas users do."""

import importlib
import json
from datetime import UTC, datetime
from typing import Any

import cramjam
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.embedded.clickhouse.server import Server

pandas: Any = importlib.import_module("pandas")  # the engine brings both; neither has types
pyarrow: Any = importlib.import_module("pyarrow")

AT = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
COLUMNS = ["id", "name", "at", "score", "tags"]
ROWS = [(1, "shop", AT, 4.5, {"a": "1"}), (2, "chat", AT, None, {})]
BROKEN_LATE = (
    "SELECT number FROM numbers(3000000) WHERE throwIf(number = 2900000) = 0 SETTINGS max_threads = 1"
)


def json_rows(first: int, size: int) -> bytes:
    return b"\n".join(
        json.dumps({"id": i, "name": "n", "at": "2026-03-01T12:30:15.250Z"}).encode()
        for i in range(first, first + size)
    )


def test_typed_insert_comes_back_as_it_went(client: Client, table: str) -> None:
    summary = client.insert(table, ROWS, column_names=COLUMNS)
    assert summary.written_rows == 2
    found = client.query(f"SELECT * FROM {table} ORDER BY id", tz_mode="aware").result_rows
    assert found == ROWS


def test_json_each_row_insert(client: Client, table: str) -> None:
    summary = client.raw_insert(table, ["id", "name", "at"], json_rows(0, 1000), fmt="JSONEachRow")
    assert summary.written_rows == 1000
    assert client.query(f"SELECT count(), sum(id), min(at) FROM {table}").result_rows == [
        (1000, 499_500, AT.replace(tzinfo=None))
    ]


@pytest.mark.parametrize("compression", ["lz4", "zstd", "gzip"])
def test_inserts_and_answers_may_be_compressed(server: Server, table: str, compression: str) -> None:
    with server.client(compress=compression) as client:
        client.insert(table, [(i, "x" * 50, AT, 1.0, {}) for i in range(5000)], column_names=COLUMNS)
        found = client.query(f"SELECT id, name FROM {table} ORDER BY id")
    assert found.row_count == 5000
    assert found.result_rows[4999] == (4999, "x" * 50)


@pytest.mark.parametrize("compression", ["lz4", "zstd", "gzip"])
def test_a_raw_insert_may_be_compressed(client: Client, table: str, compression: str) -> None:
    packed = bytes(getattr(cramjam, compression).compress(json_rows(0, 500)))
    client.raw_insert(table, ["id", "name", "at"], packed, fmt="JSONEachRow", compression=compression)
    assert client.command(f"SELECT count() FROM {table}") == 500


def test_the_same_token_counts_once(client: Client, table: str) -> None:
    for token in ("events-0-0-99", "events-0-0-99", "events-0-100-199"):
        settings = {"insert_deduplication_token": token}
        client.raw_insert(table, None, json_rows(0, 100), fmt="JSONEachRow", settings=settings)
    assert client.command(f"SELECT count() FROM {table}") == 200


def test_parameters_are_bound_by_the_server(client: Client) -> None:
    value = "it's \\ a\ttab\nand a line {not:String} \N{SNOWMAN}"
    found = client.query(
        "SELECT {text:String}, {numbers:Array(UInt8)}, {at:DateTime64(3, 'UTC')}",
        parameters={"text": value, "numbers": [1, 2, 3], "at": AT.replace(tzinfo=None)},
    )
    assert found.result_rows == [(value, [1, 2, 3], AT.replace(tzinfo=None))]


def test_parameters_may_be_longer_than_a_url(client: Client) -> None:
    value = "long \N{SNOWMAN} " * 20_000
    client.form_encode_query_params = True
    assert client.query("SELECT {text:String}", parameters={"text": value}).result_rows == [(value,)]


def test_data_frames_and_arrow(client: Client, table: str) -> None:
    client.insert_df(table, pandas.DataFrame({"id": [1, 2, 3], "name": ["a", "b", "a"]}))
    frame = client.query_df(f"SELECT name, count() AS n FROM {table} GROUP BY name ORDER BY name")
    assert frame.to_dict("list") == {"name": ["a", "b"], "n": [2, 1]}
    client.insert_arrow(table, pyarrow.table({"id": pyarrow.array([4], pyarrow.uint32())}))
    assert client.query_arrow(f"SELECT max(id) AS m FROM {table}").to_pydict() == {"m": [4]}


def test_streaming_reads_every_block(client: Client) -> None:
    with client.query_row_block_stream("SELECT number FROM numbers(300000)") as blocks:
        sizes, total = zip(*((len(block), sum(row[0] for row in block)) for block in blocks), strict=True)
    assert sum(sizes) == 300_000
    assert sum(total) == 300_000 * 299_999 // 2
    assert len(sizes) > 1


def test_an_empty_result_keeps_its_columns(client: Client, table: str) -> None:
    found = client.query(f"SELECT id, name FROM {table} LIMIT 0")
    assert (found.column_names, found.result_rows) == (("id", "name"), [])


@pytest.mark.parametrize(
    ("sql", "code"),
    [("SELECT * FROM nowhere", 60), ("SELEC 1", 62), ("SELECT nothing", 47), ("SELECT toUInt8('x')", 6)],
)
def test_errors_carry_the_servers_code(client: Client, sql: str, code: int) -> None:
    with pytest.raises(DatabaseError, match=f"Code: {code}\\.") as caught:
        client.query(sql)
    assert caught.value.code == code


@pytest.mark.parametrize("stateful", [False, True])
def test_what_a_failed_query_had_read_is_not_in_the_next_result(client: Client, *, stateful: bool) -> None:
    if stateful:
        client.command("CREATE TEMPORARY TABLE held (id UInt8)")
    for _ in range(3):
        with pytest.raises(DatabaseError, match="Code: 395"):
            client.query(BROKEN_LATE)
        assert client.query("SELECT number FROM numbers(3)").result_rows == [(0,), (1,), (2,)]


def test_a_refused_insert_leaves_nothing(client: Client, table: str) -> None:
    rows = json_rows(0, 10) + b'\n{"id": "x"}'
    with pytest.raises(DatabaseError, match="Code: 27"):
        client.raw_insert(table, None, rows, fmt="JSONEachRow")
    assert client.command(f"SELECT count() FROM {table}") == 0


def test_sessions_keep_temporary_tables_to_themselves(server: Server, client: Client) -> None:
    client.command("CREATE TEMPORARY TABLE mine (id UInt8)")
    client.insert("mine", [(7,)], column_names=["id"])
    assert client.command("SELECT id FROM mine") == 7
    with server.client() as other, pytest.raises(DatabaseError, match="Code: 60"):
        other.command("SELECT id FROM mine")


def test_a_requests_settings_end_with_it(client: Client) -> None:
    client.command("CREATE TEMPORARY TABLE held (id UInt8)")
    asked = "SELECT getSetting('max_block_size')"
    usual = client.command(asked)
    assert client.command(asked, settings={"max_block_size": 1234}) == 1234
    assert client.command(asked) == usual


def test_replacing_tables_read_with_final(client: Client, server: Server) -> None:
    server.text(
        "CREATE TABLE panes (pane UInt8, n UInt32, version UInt64) "
        "ENGINE = ReplacingMergeTree(version) ORDER BY pane"
    )
    for version, n in ((5, 10), (9, 12), (7, 11)):
        client.insert("panes", [(1, n, version)], column_names=["pane", "n", "version"])
    assert client.query("SELECT n, version FROM panes FINAL").result_rows == [(12, 9)]
    server.text("DROP TABLE panes")
