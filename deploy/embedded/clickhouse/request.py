"""One HTTP request as ClickHouse reads it: credentials, query, parameters and settings from their places."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from deploy.embedded.clickhouse.compression import unpack
from deploy.embedded.clickhouse.errors import ClickHouseError
from deploy.embedded.clickhouse.multipart import Part, parts
from deploy.embedded.clickhouse.users import Credentials

# Query-string names the HTTP interface keeps for itself; every other name is a setting.
_RESERVED = frozenset(
    (
        "query",
        "database",
        "user",
        "password",
        "default_format",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "query_id",
        "quota_key",
        "role",
        "wait_end_of_query",
        "buffer_size",
        "compress",
        "decompress",
        "client_protocol_version",
        "stacktrace",
        "http_headers_progress_interval_ms",
        "send_progress_in_http_headers",
    )
)
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


@dataclass(frozen=True)
class Request:
    """`values` are query-string fields (form fields included), `headers` have lower-case names."""

    method: str
    values: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    tables: tuple[Part, ...] = field(default=())

    @property
    def text(self) -> bytes:
        """The query and what follows it: ?query= first, the body after it."""
        query = self.values.get("query", "").encode()
        return b"\n".join(part for part in (query, self.body) if part)

    @property
    def query_id(self) -> str:
        """The client's own name for the query, as far as a header can carry it back."""
        return "".join(letter for letter in self.values.get("query_id", "") if "!" <= letter <= "~")

    @property
    def database(self) -> str:
        return self.values.get("database") or self.headers.get("x-clickhouse-database", "")

    @property
    def default_format(self) -> str:
        named = self.values.get("default_format") or self.headers.get("x-clickhouse-format", "")
        return named or "TabSeparated"

    @property
    def credentials(self) -> Credentials:
        """Basic authorisation, else the X-ClickHouse headers, else the query string, else `default`."""
        authorization = self.headers.get("authorization", "")
        if authorization:
            return _basic(authorization)
        for source, user, password in (
            (self.headers, "x-clickhouse-user", "x-clickhouse-key"),
            (self.values, "user", "password"),
        ):
            if user in source or password in source:
                return Credentials(source.get(user, "default"), source.get(password, ""), given=True)
        return Credentials()

    @property
    def params(self) -> dict[str, str]:
        return {
            name.removeprefix("param_"): value
            for name, value in self.values.items()
            if name.startswith("param_")
        }

    @property
    def settings(self) -> dict[str, str]:
        named = {
            name: value
            for name, value in self.values.items()
            if name not in _RESERVED and not name.startswith("param_")
        }
        for name in named:
            if not _SETTING.fullmatch(name):
                raise ClickHouseError(115, f"Unknown setting {name!r}.")
        return named

    @property
    def accept_encoding(self) -> str:
        """What the answer may be packed with; ?enable_http_compression=0 forbids it."""
        allowed = self.values.get("enable_http_compression", "1") not in ("0", "false")
        return self.headers.get("accept-encoding", "") if allowed else ""


def _basic(authorization: str) -> Credentials:
    scheme, _, token = authorization.partition(" ")
    try:
        name, colon, password = b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        name, colon, password = "", "", ""
    if scheme.lower() != "basic" or not colon:
        raise ClickHouseError(
            516, "Invalid authentication: the Authorization header must be Basic user:password."
        )
    return Credentials(name or "default", password, given=True)


def read(method: str, query_string: bytes, headers: Mapping[str, str], body: bytes) -> Request:
    values = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
    body = unpack(body, headers.get("content-encoding", "").strip().lower())
    content_type = headers.get("content-type", "")
    tables: list[Part] = []
    if content_type.lower().startswith("multipart/form-data"):
        for part in parts(content_type, body):
            if part.file:
                tables.append(part)
            else:
                values[part.name] = part.content.decode("utf-8", "replace")
        body = b""
    request = Request(method, values, headers, body, tuple(tables))
    _refuse_what_is_missing(request)
    return request


def _refuse_what_is_missing(request: Request) -> None:
    origin = urlsplit(request.headers.get("origin", "")).hostname
    if origin not in (None, "localhost", "127.0.0.1"):
        raise ClickHouseError(516, f"Pages of {origin} may not ask: their reader did not type this query.")
    for name in ("compress", "decompress"):
        if request.values.get(name, "0") not in ("0", "", "false"):
            raise ClickHouseError(
                48, f"{name}=1 (ClickHouse's own framing) is not supported; use HTTP compression."
            )
    if request.values.get("role"):
        raise ClickHouseError(512, "Roles do not exist here; leave out role=.")
    if request.tables:
        raise ClickHouseError(48, "External tables are not supported; create a temporary table in a session.")
