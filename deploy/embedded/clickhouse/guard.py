"""The read-only user's gate: `readonly=1` alone leaves ways out of chDB; this closes those we know."""

import re
from collections.abc import Iterable, Mapping

from deploy.embedded.clickhouse.engine import Handle, quote
from deploy.embedded.clickhouse.errors import ClickHouseError
from deploy.embedded.clickhouse.statement import READ_VERBS, Statement
from deploy.embedded.clickhouse.users import User

# Settings a reader may name. None of them opens a file, lifts a limit or touches a write.
ALLOWED_SETTINGS = frozenset(
    (
        "cancel_http_readonly_queries_on_client_close",
        "cast_string_to_dynamic_use_inference",
        "date_time_input_format",
        "date_time_output_format",
        "enable_http_compression",
        "extremes",
        "join_use_nulls",
        "log_comment",
        "max_block_size",
        "max_threads",
        "output_format_arrow_string_as_string",
        "output_format_json_quote_64bit_integers",
        "output_format_json_quote_denormals",
        "output_format_native_use_flattened_dynamic_and_json_serialization",
        "output_format_parquet_string_as_string",
        "query_cache_ttl",
        "result_overflow_mode",
        "session_timezone",
        "use_query_cache",
        "use_uncompressed_cache",
    )
)
LIMITS = ("max_result_rows", "max_result_bytes", "max_execution_time")

# Table functions that stay inside the tables; every other one the engine knows is refused.
SAFE_TABLE_FUNCTIONS = frozenset(
    ("dictionary", "format", "generateRandom", "generateSeries", "generate_series", "loop", "merge", "null")
    + ("numbers", "numbers_mt", "primes", "values", "view", "viewExplain", "zeros", "zeros_mt")
)
# Refused by name as well, as table function or scalar, whatever this engine lists.
ALWAYS_REFUSED = (
    r"file\w*|url|urlcluster|s3\w*|remote\w*|executable\w*|python\w*|input|eval|catboost\w*|ai[A-Z]\w+|chdb\w*"
    r"|getMacro|getServerSetting|getClientHTTPHeader|addressTo\w+|sleep\w*"
)

_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_OUTFILE = re.compile(r"\bINTO\s+OUTFILE\b", re.IGNORECASE)


def settings_for(user: User, asked: Mapping[str, str]) -> dict[str, str]:
    """What holds for this reader: the settings asked for, if allowed, under the user's limits."""
    settings: dict[str, str] = {}
    for name, value in asked.items():
        if name in LIMITS:
            settings[name] = _below(name, value, getattr(user, name))
        elif name == "readonly" and value == "1":
            continue
        elif name in ALLOWED_SETTINGS:
            settings[name] = value
        else:
            raise ClickHouseError(164, f"Cannot modify '{name}' setting in readonly mode.")
    return {name: str(getattr(user, name)) for name in LIMITS} | settings


def _below(name: str, value: str, limit: int) -> str:
    """A reader may lower a limit; 0 means none, so it is the limit itself."""
    try:
        wanted = float(value)
    except ValueError:
        raise ClickHouseError(27, f"Setting {name} must be a number, not {value!r}.") from None
    return str(int(min(wanted, limit))) if wanted >= 1 else str(limit)


def refused_calls(table_functions: Iterable[str]) -> re.Pattern[str]:
    listed = "|".join(re.escape(name) for name in sorted(set(table_functions) - SAFE_TABLE_FUNCTIONS))
    return re.compile(rf"(?<!\w)({ALWAYS_REFUSED}|{listed})[`\"]?\s*\(", re.IGNORECASE)


def check(handle: Handle, statement: Statement, refused: re.Pattern[str]) -> str:
    """The statement in the engine's own spelling, without comments: what is checked is what will run."""
    text = "" if statement.writes else _canonical(handle, statement.sql)
    bare = _LITERAL.sub("''", text)
    words = re.findall(r"\w+", bare)
    if not words or words[0].upper() not in READ_VERBS:
        raise ClickHouseError(164, "Cannot execute query in readonly mode: this user may only read.")
    if _OUTFILE.search(bare):
        raise ClickHouseError(164, "Cannot execute query in readonly mode: INTO OUTFILE writes a file.")
    if call := refused.search(bare):
        raise ClickHouseError(
            164, f"Cannot execute query in readonly mode: {call.group(1)}() is not for this user."
        )
    return text


def _canonical(handle: Handle, sql: str) -> str:
    try:
        return handle.query(f"SELECT formatQuerySingleLine({quote(sql)})", "RawBLOB").body.decode()
    except ClickHouseError as error:
        sentence, _, _ = error.sentence.partition(": In scope SELECT formatQuerySingleLine")
        raise ClickHouseError(error.code, sentence, error.name) from None
