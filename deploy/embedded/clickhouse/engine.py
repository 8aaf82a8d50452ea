"""chDB, handle by handle: the only module that touches the engine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb

from deploy.embedded.clickhouse.errors import ClickHouseError, from_engine

Connection = Any  # chdb ships no types


@dataclass(frozen=True)
class Answer:
    """What the engine gave back, and what it counted."""

    body: bytes = b""
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    seconds: float = 0.0


def quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, chdb.ChdbError) as error:
        raise from_engine(str(error)) from None


class Handle:
    """One connection. The output of a query that failed midway stays in it and would open the next result
    (an engine bug), so a handle is used for one request, or cleansed after an error."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._applied: dict[str, str] = {}
        self._database = ""

    def use(self, database: str) -> None:
        if database and database != self._database:
            self.query("USE `" + database.replace("\\", "\\\\").replace("`", "\\`") + "`")
            self._database = database

    def apply(self, settings: Mapping[str, str]) -> None:
        """Make exactly these settings hold: what an earlier request set goes back to its default."""
        for name in [name for name in self._applied if name not in settings]:
            self.query(f"SET {name} = DEFAULT")
            del self._applied[name]
        fresh = {name: value for name, value in settings.items() if self._applied.get(name) != value}
        if fresh:
            self.query("SET " + ", ".join(f"{name} = {quote(value)}" for name, value in fresh.items()))
            self._applied.update(fresh)

    def bind(self, params: Mapping[str, str]) -> None:
        """Parameters for `insert`, which takes none itself."""
        if params:
            self.query("SET " + ", ".join(f"param_{name} = {quote(value)}" for name, value in params.items()))

    def query(
        self, sql: str, output: str = "TabSeparated", params: Mapping[str, str] | None = None
    ) -> Answer:
        with _engine_errors():
            result = self._connection.query(sql, output, params=dict(params or {}))
            return Answer(
                body=result.bytes() or b"",
                read_rows=result.storage_rows_read(),
                read_bytes=result.storage_bytes_read(),
                written_rows=result.rows_written(),
                written_bytes=result.bytes_written(),
                seconds=result.elapsed(),
            )

    def hello(self) -> Answer:
        """Name, version, revision 0 and zone, in the newer block layout: by the 0 clickhouse-go reads later
        blocks in the layout the engine writes."""
        columns = self.query("SELECT 'embedded', version(), timezone()").body.decode().rstrip().split("\t")
        name, version, zone = (bytes([len(each)]) + each.encode() for each in columns)
        values = (b"String", name), (b"String", version), (b"UInt32", bytes(4)), (b"String", zone)
        block = b"\x01\x00\x02\xff\xff\xff\xff\x00" + bytes([len(values), 1])
        for number, (type_, value) in enumerate(values):
            block += b"\x01%d" % number + bytes([len(type_)]) + type_ + b"\x00" + value
        return Answer(block)

    def insert(self, sql: str, rows_format: str, rows: bytes) -> Answer:
        with _engine_errors(), self._connection.send_insert(sql, rows_format) as inserter:
            inserter.append(rows)
            done = inserter.finish()
            return Answer(
                written_rows=done.rows_written, written_bytes=done.bytes_written, seconds=done.elapsed
            )

    def cleanse(self) -> None:
        self.query("SELECT 1 FORMAT Null")

    def close(self) -> None:
        self._connection.close()


class Engine:
    """The one engine of this process; it owns its directory until `close`."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)
        with _engine_errors():
            self._anchor = chdb.connect(self._directory)  # the engine lives as long as a handle is open
        with self.handle() as handle:
            self.version, self.timezone = (
                handle.query("SELECT version(), timezone()").body.decode().strip().split("\t")
            )
            names = handle.query("SELECT name FROM system.formats").body.decode().split()
            functions = handle.query("SELECT name FROM system.table_functions").body.decode().split()
        self._formats = {name.lower(): name for name in names}
        self.table_functions = frozenset(name.lower() for name in functions)

    def open(self) -> Handle:
        with _engine_errors():
            return Handle(chdb.connect(self._directory))

    @contextmanager
    def handle(self) -> Iterator[Handle]:
        handle = self.open()
        try:
            yield handle
        finally:
            handle.close()

    def format_name(self, name: str) -> str:
        """Drivers compare X-ClickHouse-Format with the canonical spelling."""
        canonical = self._formats.get(name.lower())
        if canonical is None:
            raise ClickHouseError(73, f"Unknown format {name}.")
        return canonical
