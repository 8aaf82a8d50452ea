"""The read-only user's gate: `readonly=1` alone leaves ways out of chDB; this closes those we know."""

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import pairwise

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
LIMITS = ("max_result_rows", "max_result_bytes", "max_execution_time", "max_memory_usage")

# Table functions that stay inside the tables; every other one the engine knows is refused.
SAFE_TABLE_FUNCTIONS = frozenset(
    ("dictionary", "format", "generaterandom", "generateseries", "generate_series", "loop", "merge", "null")
    + ("numbers", "numbers_mt", "primes", "values", "view", "viewexplain", "zeros", "zeros_mt")
)
# Refused as functions whatever this engine lists.
REFUSED_CALLS = re.compile(
    r"(?:file|url)(?:cluster)?|(?:s3|remote|executable|python)\w*|input", re.IGNORECASE
)
# Functions that reach out of the tables. The engine takes their bare names too: arrayMap(file, ...), APPLY file.
REFUSED_WORDS = re.compile(
    r"file|eval|python|executable|catboost\w*|chdb|sleep(?:EachRow)?|addressTo\w+|getMacro|getServerSetting"
    r"|getClientHTTPHeader|ai(?:Classify|Embed|Extract|Filter|Generate|Redact|Similarity|Translate)\w*",
    re.IGNORECASE,
)

_PIECE = re.compile(
    r"'(?:[^'\\]|\\.)*'"
    r"|(?P<quote>[`\"])(?P<quoted>(?:(?!(?P=quote))[^\\]|\\.)*)(?P=quote)(?P<quoted_call>\s*\()?"
    r"|(?P<word>\w+)(?P<call>\s*\()?",
    re.DOTALL,
)


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


@dataclass(frozen=True)
class Word:
    """A name or keyword outside string literals."""

    text: str
    called: bool
    quoted: bool


def check(handle: Handle, statement: Statement, table_functions: Set[str]) -> str:
    """The statement in the engine's own spelling, without comments: what is checked is what will run."""
    text = "" if statement.writes else _canonical(handle, statement.sql)
    words = list(_words(text))
    if not words or words[0].quoted or words[0].text.upper() not in READ_VERBS:
        raise _refusal("this user may only read")
    if ("INTO", "OUTFILE") in pairwise("" if word.quoted else word.text.upper() for word in words):
        raise _refusal("INTO OUTFILE writes a file")
    for word in words:
        if _reaches_out(word, table_functions - SAFE_TABLE_FUNCTIONS):
            raise _refusal(f"{word.text}() is not for this user")
    return text


def _words(text: str) -> Iterator[Word]:
    for piece in _PIECE.finditer(text):
        if piece["word"]:
            yield Word(piece["word"], piece["call"] is not None, quoted=False)
        elif piece["quoted"]:
            yield Word(piece["quoted"], piece["quoted_call"] is not None, quoted=True)


def _reaches_out(word: Word, table_functions: Set[str]) -> bool:
    if REFUSED_WORDS.fullmatch(word.text):
        return True
    return word.called and bool(REFUSED_CALLS.fullmatch(word.text) or word.text.lower() in table_functions)


def _refusal(why: str) -> ClickHouseError:
    return ClickHouseError(164, f"Cannot execute query in readonly mode: {why}.")


def _canonical(handle: Handle, sql: str) -> str:
    try:
        return handle.query(f"SELECT formatQuerySingleLine({quote(sql)})", "RawBLOB").body.decode()
    except ClickHouseError as error:
        sentence, _, _ = error.sentence.partition(": In scope SELECT formatQuerySingleLine")
        raise ClickHouseError(error.code, sentence, error.name) from None
