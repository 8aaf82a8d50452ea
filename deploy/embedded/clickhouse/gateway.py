"""From a request to an answer: who asks, which pool and handle serve it, what the reply's headers say."""

import asyncio
import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

from deploy.embedded.clickhouse import guard
from deploy.embedded.clickhouse.compression import choose, pack
from deploy.embedded.clickhouse.engine import Answer, Engine, Handle
from deploy.embedded.clickhouse.errors import ClickHouseError
from deploy.embedded.clickhouse.request import Request, read
from deploy.embedded.clickhouse.sessions import Sessions, Visit
from deploy.embedded.clickhouse.statement import Statement, parse
from deploy.embedded.clickhouse.users import User, Users, authenticate

log = logging.getLogger(__name__)

CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNames": "text/tab-separated-values; charset=UTF-8",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "Parquet": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
}


# clickhouse-go's first query, which alone it expects in the block layout of the revision it names.
HELLO = "SELECT displayName(), version(), revision(), timezone()"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


OK = Reply(200, {"Content-Type": "text/html; charset=UTF-8"}, b"Ok.\n")


class Gateway:
    """Writers, readers and read-only users have a pool each: slow reports hold up neither inserts nor services."""

    def __init__(self, engine: Engine, users: Users, threads: int = 4) -> None:
        self._engine = engine
        self._users = users
        self._sessions = Sessions(engine)
        self._writers = ThreadPoolExecutor(threads, "writer")
        self._readers = ThreadPoolExecutor(threads, "reader")
        self._guests = ThreadPoolExecutor(threads, "guest")

    async def answer(
        self, method: str, query_string: bytes, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        query_id = str(uuid4())
        try:
            # in a thread: unpacking a large body would keep every other request waiting
            request = await asyncio.to_thread(read, method, query_string, headers, body)
            query_id, text = request.query_id or query_id, request.text
            user = authenticate(self._users, request.credentials)
            if not text and method == "GET":
                return OK
            statement = parse(text)
            _refuse_writing_by_get(method, statement)
            pool = self._pool(user, statement)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, self._serve, request, user, statement, query_id)
        except ClickHouseError as error:
            return self.refusal(error, query_id)
        except Exception as error:
            log.exception("a request failed in a way this gateway does not know")
            return self.refusal(ClickHouseError(1001, f"{type(error).__name__}: {error}."), query_id)

    def refusal(self, error: ClickHouseError, query_id: str = "") -> Reply:
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Exception-Code": str(error.code),
        }
        if error.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        return Reply(error.status, headers, error.text(self._engine.version).encode())

    def _pool(self, user: User, statement: Statement) -> ThreadPoolExecutor:
        if user.readonly:
            return self._guests
        return self._readers if statement.reads else self._writers

    def _serve(self, request: Request, user: User, statement: Statement, query_id: str) -> Reply:
        output = self._engine.format_name(statement.output_format or request.default_format)
        if user.readonly:
            answer = self._read_only(request, user, statement, output)
        else:
            with self._sessions.handle(_visit(request, statement)) as handle:
                handle.use(request.database)
                handle.apply(request.settings)
                answer = _run(handle, request, statement, output)
        return self._reply(request, answer, output, query_id)

    def _read_only(self, request: Request, user: User, statement: Statement, output: str) -> Answer:
        settings = guard.settings_for(user, request.settings)
        with self._engine.handle() as handle:
            handle.use(request.database)
            handle.apply(settings)
            handle.apply(settings | {"readonly": "1"})
            if _greets(request, statement):
                return handle.hello()
            return handle.query(
                guard.check(handle, statement, self._engine.table_functions), output, request.params
            )

    def _reply(self, request: Request, answer: Answer, output: str, query_id: str) -> Reply:
        headers = {
            "Content-Type": CONTENT_TYPES.get(output, "text/plain; charset=UTF-8"),
            "X-ClickHouse-Format": output,
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Server-Display-Name": "embedded",
            "X-ClickHouse-Summary": _summary(answer),
            "X-ClickHouse-Timezone": self._engine.timezone,
        }
        encoding = choose(request.accept_encoding)
        if not encoding or not answer.body:
            return Reply(200, headers, answer.body)
        return Reply(200, headers | {"Content-Encoding": encoding}, pack(answer.body, encoding))


def _refuse_writing_by_get(method: str, statement: Statement) -> None:
    if method == "GET" and statement.writes:
        raise ClickHouseError(
            164,
            "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. "
            "You should use method POST for modifying queries.",
        )


def _visit(request: Request, statement: Statement) -> Visit:
    values = request.values
    try:
        timeout = float(values.get("session_timeout") or 60)
    except ValueError:
        raise ClickHouseError(27, "session_timeout must be a number of seconds.") from None
    return Visit(
        session_id=values.get("session_id", ""),
        timeout=timeout,
        must_exist=values.get("session_check") == "1",
        makes_state=statement.makes_state,
    )


def _run(handle: Handle, request: Request, statement: Statement, output: str) -> Answer:
    if _greets(request, statement):
        return handle.hello()
    if statement.rows is None:
        return handle.query(statement.sql, output, request.params)
    handle.bind(request.params)
    return handle.insert(statement.sql, statement.rows_format, statement.rows)


def _greets(request: Request, statement: Statement) -> bool:
    return "client_protocol_version" in request.values and statement.sql.strip() == HELLO


def _summary(answer: Answer) -> str:
    counts = {
        "read_rows": answer.read_rows,
        "read_bytes": answer.read_bytes,
        "written_rows": answer.written_rows,
        "written_bytes": answer.written_bytes,
        "result_bytes": len(answer.body),
        "elapsed_ns": int(answer.seconds * 1e9),
    }
    return json.dumps({name: str(count) for name, count in counts.items()}, separators=(",", ":"))
