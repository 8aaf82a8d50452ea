"""How a text is read before the engine sees it."""

import pytest

from deploy.embedded.clickhouse.errors import ClickHouseError, from_engine
from deploy.embedded.clickhouse.statement import parse


@pytest.mark.parametrize(
    ("text", "sql", "rows_format", "rows"),
    [
        (b"INSERT INTO t VALUES (1)", "INSERT INTO t ", "Values", b" (1)"),
        (b"insert into t (a) format CSV\n1", "insert into t (a) ", "CSV", b"1"),
        (b"INSERT INTO t FORMAT Native\n\n\x00", "INSERT INTO t ", "Native", b"\n\x00"),
        (b"INSERT INTO t FORMAT CSV 1,2", "INSERT INTO t ", "CSV", b"1,2"),
        (b"INSERT INTO format VALUES (1)", "INSERT INTO format ", "Values", b" (1)"),
        (b"INSERT INTO d.values FORMAT CSV\n", "INSERT INTO d.values ", "CSV", b""),
        (b"INSERT INTO `a FORMAT b` FORMAT TSV\nx", "INSERT INTO `a FORMAT b` ", "TSV", b"x"),
        (
            b"INSERT INTO t SETTINGS a = 'VALUES' FORMAT TSV\nx",
            "INSERT INTO t SETTINGS a = 'VALUES' ",
            "TSV",
            b"x",
        ),
        (
            b"/* INSERT */ INSERT -- x\n INTO t (values) VALUES 1",
            "/* INSERT */ INSERT -- x\n INTO t (values) ",
            "Values",
            b" 1",
        ),
    ],
)
def test_an_insert_is_split_from_its_rows(text: bytes, sql: str, rows_format: str, rows: bytes) -> None:
    found = parse(text)
    assert (found.sql, found.rows_format, found.rows, found.verb) == (sql, rows_format, rows, "INSERT")


@pytest.mark.parametrize(
    ("text", "output"),
    [
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1 format `JSON` ;", "JSON"),
        (b"SELECT 'a--b' FORMAT CSV -- FORMAT TSV", "CSV"),
        (b"SELECT 1 FORMAT CSV SETTINGS max_threads = 1", "CSV"),
        (b"SELECT settings FROM t FORMAT CSV", "CSV"),
        (b"SELECT 'FORMAT CSV'", ""),
        (b"SELECT $a$ it's $$ ; $a$ FORMAT CSV", "CSV"),
        (b"SELECT 1 AS format FROM t", ""),
    ],
)
def test_the_output_format_is_found(text: bytes, output: str) -> None:
    assert parse(text).output_format == output


@pytest.mark.parametrize(
    ("text", "reads", "writes", "makes_state"),
    [
        (b"-- a\n((SELECT 1))", True, False, False),
        (b"WITH x AS (SELECT 1) SELECT * FROM x", True, False, False),
        (b"WITH 1 AS x INSERT INTO t SELECT x", False, True, False),
        (b"DROP TABLE t", False, True, False),
        (b"/**/SET a = 1", False, False, True),
        (b"CREATE OR REPLACE TEMPORARY TABLE t (a UInt8)", False, True, True),
        (b"CREATE TABLE t (temporary UInt8)", False, True, False),
        (b"NONSENSE", False, False, False),
    ],
)
def test_what_a_statement_does(text: bytes, *, reads: bool, writes: bool, makes_state: bool) -> None:
    found = parse(text)
    assert (found.reads, found.writes, found.makes_state) == (reads, writes, makes_state)


@pytest.mark.parametrize(
    "text", [b"", b" -- nothing\n", b"SELECT 1; SELECT 2", b"SELECT '\xff'", b"INSERT INTO t FORMAT"]
)
def test_what_cannot_be_one_statement_is_a_syntax_error(text: bytes) -> None:
    with pytest.raises(ClickHouseError) as caught:
        parse(text)
    assert caught.value.code == 62


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            "Code: 60. DB::Exception: No t. (UNKNOWN_TABLE)",
            "Code: 60. DB::Exception: No t (UNKNOWN_TABLE) (version 1)\n",
        ),
        (
            "Failed: Code: 27. DB::Exception: Code: 27. DB::Exception: Bad: x. (BAD) (version 2). (BAD)",
            "Code: 27. DB::Exception: Bad: x (BAD) (version 1)\n",
        ),
        ("hm", "Code: 1001. DB::Exception: hm (STD_EXCEPTION) (version 1)\n"),
    ],
)
def test_engine_messages_are_said_once(message: str, text: str) -> None:
    assert from_engine(message).text("1") == text
