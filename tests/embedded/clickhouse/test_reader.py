"""The read-only user: may read everything in the tables, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.embedded.clickhouse.server import Reply, Server, until

SLOW = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"


def ask(server: Server, sql: str, **values: object) -> Reply:
    return server.ask(sql, user="bi", password="secret", **values)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count() FROM {t}",
        "WITH 1 AS x SELECT x",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT 1; -- a comment",
        "SHOW TABLES",
        "DESCRIBE {t}",
        "EXISTS {t}",
        "EXPLAIN SELECT 1",
        "SHOW CREATE TABLE {t}",
        "SELECT 'file(', 'INTO OUTFILE', $$url('x')$$ -- eval(1)",
        "SELECT * FROM numbers(3) FORMAT JSON",
        "SELECT id AS url FROM {t} WHERE url IN (1)",
        "SELECT URLHierarchy('https://x.example/a/b'), domain('https://x.example')",
        "SELECT count() AS `number of file(s)`, 1 AS `INTO OUTFILE` FROM {t}",
    ],
)
def test_reading_works(server: Server, table: str, sql: str) -> None:
    status, _, body = ask(server, sql.replace("{t}", table))
    assert status == 200, body


ATTACKS = [
    "SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 INTO/**/OUTFILE '{out}'",
    "SELECT 1 AS `'` INTO OUTFILE '{out}'",
    "SELECT 1 AS a$$b, ' $$' INTO OUTFILE '{out}'",
    "SELECT $x$'$x$ INTO OUTFILE '{out}'",
    "SELECT $x$'$x$; DROP TABLE {t} --'",
    "SHOW TABLES INTO OUTFILE '{out}'",
    "INSERT INTO FUNCTION file('{out}', 'CSV', 'a UInt8') SELECT 1",
    "SELECT file('{secret}')",
    "SELECT /* */ file -- \n ('{secret}')",
    "SELECT `file`('{secret}')",
    "SELECT \"fi\\x6ce\"('{secret}')",
    "SELECT 1 WHERE 'a' IN (SELECT file('{secret}'))",
    "EXPLAIN SELECT file('{secret}')",
    "WITH file('{secret}') AS x SELECT x",
    "SELECT 1 AS `x'`, file('{secret}') AS `y'`",
    "SELECT 1 AS \"x'\", file('{secret}') AS \"y'\"",
    "SELECT 1 AS `x\\`'`, file('{secret}') AS `y'`",
    "SELECT 1 AS `x'` INTO OUTFILE '{out}' FORMAT CSV",
    "SELECT 'a\\\\', file('{secret}'), 'b'",
    "SELECT $a$'$a$, file('{secret}'), $a$'$a$",
    "SELECT arrayMap(file, ['{secret}'])",
    "SELECT arrayMap(name -> file(name), ['{secret}'])",
    "SELECT * APPLY(file) FROM (SELECT '{secret}' AS a)",
    "SELECT COLUMNS('a') APPLY file FROM (SELECT '{secret}' AS a)",
    "WITH (x -> file(x)) AS f SELECT f('{secret}')",
    "SELECT * FROM file('{secret}', 'LineAsString')",
    "SELECT * FROM `file`('{secret}', 'LineAsString')",
    "SELECT * FROM loop(file('{secret}', 'LineAsString'))",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM `{secret}`",
    "DESCRIBE TABLE file('{secret}')",
    "SELECT * FROM filesystem('/')",
    "SELECT * FROM url('http://127.0.0.1:{port}/ping', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:{port}/x')",
    "SELECT * FROM remote('127.0.0.1', 'system', 'one')",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM python(server)",
    "SELECT * FROM Python(server)",
    "SELECT * FROM input('a UInt8')",
    "SELECT eval('1 + 1')",
    "SELECT aiGenerate('x')",
    "SELECT 1; DROP TABLE {t}",
    "INSERT INTO {t} (id) VALUES (1)",
    "INSERT INTO {t} (id) SELECT 1",
    "WITH 1 AS x INSERT INTO {t} (id) SELECT x",
    "ALTER TABLE {t} DELETE WHERE 1",
    "CREATE TABLE stolen (a UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE stolen (a UInt8)",
    "DROP TABLE {t}",
    "TRUNCATE TABLE {t}",
    "OPTIMIZE TABLE {t}",
    "KILL QUERY WHERE 1",
    "SYSTEM SHUTDOWN",
    "SET readonly = 0",
    "USE system",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_result_rows = 0",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused(server: Server, table: str, tmp_path: Path, attack: str) -> None:
    secret, out = tmp_path / "secret", tmp_path / "out"
    secret.write_text("hidden treasure\n")
    sql = attack
    for mark, value in (("{secret}", secret), ("{out}", out), ("{t}", table), ("{port}", server.port)):
        sql = sql.replace(mark, str(value))
    status, headers, body = ask(server, sql)
    assert status != 200, body
    assert headers["X-ClickHouse-Exception-Code"] in ("164", "62", "358"), body
    assert b"treasure" not in body
    assert not out.exists()
    assert server.text(f"SELECT count() FROM {table}") == "0"


@pytest.mark.parametrize(
    "setting",
    [
        "readonly",
        "max_threads_for_indexes",
        "format_schema",
        "output_format_schema",
        "allow_ddl",
        "insert_deduplication_token",
    ],
)
def test_only_listed_settings_may_be_set(server: Server, setting: str) -> None:
    status, headers, body = ask(server, "SELECT 1", **{setting: "0"})
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "164")
    assert setting.encode() in body


@pytest.mark.parametrize(("asked", "held"), [("5", "5"), ("0", "20"), ("999", "20")])
def test_limits_can_be_lowered_but_not_lifted(server: Server, asked: str, held: str) -> None:
    _, _, body = ask(server, "SELECT getSetting('max_execution_time')", max_execution_time=asked)
    assert body.decode().strip() == held


def test_a_result_too_large_is_refused(server: Server) -> None:
    assert ask(server, "SELECT number FROM numbers(10000)")[0] == 200
    status, headers, _ = ask(server, "SELECT number FROM numbers(200000)")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "396")


def test_a_query_that_takes_too_long_is_stopped(server: Server) -> None:
    status, headers, _ = ask(server, SLOW, max_execution_time=1)
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (408, "159")


def test_slow_readers_do_not_hold_up_services(server: Server, table: str) -> None:
    """Four slow questions fill the readers' pool; services still write and read, and see them run."""
    with ThreadPoolExecutor(4) as askers:
        replies = [askers.submit(ask, server, SLOW, max_execution_time=3, max_threads=1) for _ in range(4)]

        four = "SELECT throwIf(count() < 4) FROM system.processes WHERE query LIKE 'SELECT count() FROM numbers%'"
        count_them = f"INSERT INTO {table} (id) {four}"
        until(lambda: server.ask(count_them)[0] == 200, 2.5, "four slow questions run")
        assert server.ask("(7)", query=f"INSERT INTO {table} (id) VALUES")[0] == 200
        assert server.text(f"SELECT max(id) FROM {table}") == "7"
        assert not any(reply.done() for reply in replies)
    assert {reply.result()[0] for reply in replies} == {408}


def test_one_reader_does_not_take_all_memory(server: Server) -> None:
    hungry = "SELECT length(groupArray(number)) FROM numbers(20000000)"
    status, headers, _ = ask(server, hungry, max_memory_usage=50_000_000)
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "241")


def test_parameters_are_values_not_text(server: Server) -> None:
    _, _, body = ask(server, "SELECT {a:String}", param_a="file('/etc/passwd')")
    assert body == b"file(\\'/etc/passwd\\')\n"


def test_clickhouse_connect_as_the_reader(server: Server, table: str) -> None:
    with server.client("bi", "secret") as client:
        assert client.command(f"SELECT count() FROM {table}") == 0
        with pytest.raises(DatabaseError, match="Code: 164"):
            client.command(f"DROP TABLE {table}")
