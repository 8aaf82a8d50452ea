"""The bare HTTP interface, as curl and drivers of other languages see it."""

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import cramjam
import pytest

from tests.embedded.clickhouse.server import Server

Codec = Callable[[bytes], Any]


@pytest.mark.parametrize("target", ["/", "/ping", "/replicas_status"])
def test_it_says_ok(server: Server, target: str) -> None:
    status, _, body = server.send("GET", target)
    assert (status, body) == (200, b"Ok.\n")


def test_other_paths_are_explained(server: Server) -> None:
    status, _, body = server.send("GET", "/dashboard")
    assert status == 404
    assert b"/ping" in body


def test_get_reads_and_does_not_write(server: Server, table: str) -> None:
    assert server.send("GET", "/?query=SELECT%201%2B1")[2] == b"2\n"
    for sql in (
        f"DROP TABLE {table}",
        f"INSERT INTO {table} (id) VALUES (1)",
        f"WITH 1 AS x INSERT INTO {table} (id) SELECT x",
    ):
        status, headers, _ = server.send("GET", "/?query=" + quote(sql))
        assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "164")
    assert server.text(f"SELECT count() FROM {table}") == "0"


def test_headers_tell_about_the_answer(server: Server) -> None:
    status, headers, body = server.ask("SELECT number FROM numbers(5) format jsoneachrow", query_id="mine-1")
    assert status == 200
    assert [json.loads(line)["number"] for line in body.splitlines()] == [0, 1, 2, 3, 4]
    assert headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert headers["X-ClickHouse-Query-Id"] == "mine-1"
    assert headers["X-ClickHouse-Timezone"] == server.text("SELECT timezone()")
    assert json.loads(headers["X-ClickHouse-Summary"])["read_rows"] == "5"


@pytest.mark.parametrize(
    ("values", "headers"), [({"default_format": "CSV"}, {}), ({}, {"X-ClickHouse-Format": "CSV"})]
)
def test_the_default_format(server: Server, values: dict[str, str], headers: dict[str, str]) -> None:
    _, replied, body = server.ask("SELECT 1, 'a,b'", headers, **values)
    assert body == b'1,"a,b"\n'
    assert replied["X-ClickHouse-Format"] == "CSV"
    assert server.ask("SELECT 1 AS x FORMAT JSONEachRow", headers, **values)[2] == b'{"x":1}\n'


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("INSERT INTO {t} (id, name) VALUES", b"(1, 'a;b'), (2, concat('x', 'y'))"),
        ("INSERT INTO {t} (id, name) FORMAT JSONEachRow", b'{"id":1,"name":"a;b"}\n{"id":2,"name":"xy"}'),
        ("", b"INSERT INTO {t} (id, name) FORMAT CSV\n1,a;b\n2,xy\n"),
        ("", b"insert /* values */ into {t} (id, `name`) values (1, 'a;b'), (2, 'xy')"),
        ("", b"INSERT INTO {t} (id, name) SELECT 1, 'a;b' UNION ALL SELECT 2, 'xy'"),
    ],
)
def test_rows_come_in_the_query_or_after_it(server: Server, table: str, query: str, body: bytes) -> None:
    values = {"query": query.replace("{t}", table)} if query else {}
    status, _, answer = server.ask(body.replace(b"{t}", table.encode()), **values)
    assert (status, answer) == (200, b"")
    assert server.text(f"SELECT id, name FROM {table} ORDER BY id") == "1\ta;b\n2\txy"


def test_binary_rows_keep_their_first_byte(server: Server, table: str) -> None:
    """0x0A is a newline and a RowBinary value at once."""
    server.ask(b"\x0a\x00\x00\x00", query=f"INSERT INTO {table} (id) FORMAT RowBinary")
    assert server.text(f"SELECT id FROM {table}") == "10"


def test_parameters_and_settings_in_the_query_string(server: Server, table: str) -> None:
    asked = "SELECT {word:String}, getSetting('max_block_size') FORMAT JSONCompactEachRow"
    assert json.loads(server.text(asked, param_word="a\\tb'", max_block_size=77)) == ["a\tb'", 77]
    server.ask(b"3\n", query="INSERT INTO {t:Identifier} (id) FORMAT CSV", param_t=table)
    assert server.text("SELECT id FROM {t:Identifier}", param_t=table) == "3"


@pytest.mark.parametrize(
    ("sql", "values", "status", "code"),
    [
        ("SELEC 1", {}, 400, 62),
        ("", {}, 400, 62),
        ("SELECT 1; SELECT 2", {}, 400, 62),
        ("SELECT * FROM nowhere", {}, 404, 60),
        ("SELECT 1", {"database": "nowhere"}, 404, 81),
        ("SELECT 1", {"no_such_setting": "1"}, 404, 115),
        ("SELECT 1 FORMAT Nonsense", {}, 404, 73),
        ("SELECT {a:UInt8}", {"param_a": "x"}, 400, 457),
        ("SELECT throwIf(1)", {}, 500, 395),
        ("SELECT 1", {"user": "nobody"}, 403, 516),
        ("SELECT 1", {"user": "bi", "password": "wrong"}, 403, 516),
        ("SELECT 1", {"compress": "1"}, 501, 48),
        ("SELECT 1 INTO OUTFILE '/nowhere/x'", {}, 500, 358),
        ("INSERT INTO t SELECT * FROM input('a UInt8') FORMAT CSV\n1;", {}, 501, 48),
    ],
)
def test_errors(server: Server, sql: str, values: dict[str, str], status: int, code: int) -> None:
    replied, headers, body = server.ask(sql, **values)
    assert (replied, headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert body.startswith(f"Code: {code}. DB::Exception: ".encode())
    assert body.count(b"DB::Exception") == 1
    assert body.endswith(b")\n")


@pytest.mark.parametrize(
    ("headers", "values"),
    [
        ({"Authorization": "Basic " + b64encode(b"bi:secret").decode()}, {}),
        ({"X-ClickHouse-User": "bi", "X-ClickHouse-Key": "secret"}, {}),
        ({}, {"user": "bi", "password": "secret"}),
    ],
)
def test_three_ways_to_say_who_asks(server: Server, headers: dict[str, str], values: dict[str, str]) -> None:
    assert server.ask("SELECT getSetting('readonly')", headers, **values)[2] == b"1\n"


def test_a_web_page_of_another_site_may_not_ask(server: Server) -> None:
    assert server.ask("SELECT 1", {"Origin": "https://evil.example"})[0] == 403
    assert server.ask("SELECT 1", {"Origin": "http://localhost:3000"})[0] == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "lz4", "zstd", "br"])
def test_compression_both_ways(server: Server, table: str, encoding: str) -> None:
    codecs: dict[str, tuple[Codec, Codec]] = {
        "gzip": (gzip.compress, gzip.decompress),
        "deflate": (zlib.compress, zlib.decompress),
        "lz4": (cramjam.lz4.compress, cramjam.lz4.decompress),
        "zstd": (cramjam.zstd.compress, cramjam.zstd.decompress),
        "br": (cramjam.brotli.compress, cramjam.brotli.decompress),
    }
    pack, unpack = codecs[encoding]
    rows = b"".join(b"%d,name\n" % i for i in range(1000))
    insert = f"INSERT INTO {table} (id, name) FORMAT CSV"
    assert server.ask(bytes(pack(rows)), {"Content-Encoding": encoding}, query=insert)[0] == 200
    asked = f"SELECT id, name FROM {table} ORDER BY id FORMAT CSV"
    _, headers, body = server.ask(asked, {"Accept-Encoding": f"x-odd, {encoding};q=0.5"})
    assert headers["Content-Encoding"] == encoding
    assert bytes(unpack(body)) == rows.replace(b"name", b'"name"')
    _, headers, _ = server.ask(asked, {"Accept-Encoding": encoding}, enable_http_compression=0)
    assert "Content-Encoding" not in headers


def test_a_broken_body_is_refused_in_one_sentence(server: Server) -> None:
    status, _, body = server.ask(b"not gzip", {"Content-Encoding": "gzip"})
    assert status == 400
    assert b"not valid gzip" in body


def test_a_session_keeps_what_was_set_and_can_be_checked(server: Server) -> None:
    _, headers, _ = server.ask("SELECT 1", session_id="unheard-of", session_check=1)
    assert headers["X-ClickHouse-Exception-Code"] == "372"
    server.text("SET max_block_size = 99", session_id="s1")
    assert server.text("SELECT getSetting('max_block_size')", session_id="s1", session_check=1) == "99"
    assert server.text("SELECT getSetting('max_block_size')") != "99"


def test_clickhouse_go_is_told_to_read_blocks_without_revision(server: Server) -> None:
    asked = "SELECT displayName(), version(), revision(), timezone()"
    _, _, hello = server.ask(asked, default_format="Native", client_protocol_version=54460)
    assert hello.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01")
    assert b"\x06UInt32\x00" + bytes(4) in hello
    assert server.text(asked).split("\t")[2] != "0"
