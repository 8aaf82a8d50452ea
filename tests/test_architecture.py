"""The rules of the house, held by reading the code: sizes, names, imports, and where time and chance come in."""

from __future__ import annotations

import ast
import io
import re
import statistics
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("schemas", "services", "deploy")

FILE_LINES, FUNCTION_LINES = 300, 60
FUNCTION_MEDIAN, FUNCTION_90TH_PERCENTILE = 8, 30
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "helpers", "base", "manager", "core"}

CLOCKS_AND_DICE = re.compile(
    r"(\w+\.)?datetime\.(now|utcnow|today)|date\.today|time\.time(_ns)?|os\.urandom|uuid\.uuid[14]|uuid[14]"
    r"|(random|secrets)\.[a-z_]\w*"
)
"""Calls and references that make a module's outcome depend on the moment or on chance."""
EDGES = {
    "deploy/backtest/command.py",
    "deploy/embedded/clickhouse/gateway.py",
    "deploy/embedded/kafka/__main__.py",
    "deploy/embedded/kafka/group_apis.py",
    "deploy/history/command.py",
    "deploy/replay/command.py",
    "deploy/simulate/command.py",
    "deploy/up/credentials.py",
    "services/aggregator/customers_worker.py",
    "services/aggregator/sink_worker.py",
    "services/aggregator/windows_worker.py",
    "services/alerts/__main__.py",
    "services/ingest/__main__.py",
}
"""Where time and chance come in; from here on they are arguments."""

POLLERS = {
    ("tests/alerts/fakes.py", "pause"),
    ("tests/alerts/waiting.py", "until"),
    ("tests/embedded/clickhouse/server.py", "until"),
    ("tests/embedded/kafka/clients.py", "until_longer"),
    ("tests/embedded/kafka/process.py", "until"),
    ("tests/ingest/processes.py", "until"),
    ("tests/stack.py", "wait_for"),
}
"""The only functions of tests that may sleep: they ask again until something is true or give up, or let others run."""

OWNERS = {
    "chdb": ("deploy/embedded/clickhouse/",),
    "faust": ("services/aggregator/",),
    "kafka": ("deploy/embedded/kafka/", "deploy/provision/"),
    "mode": ("services/aggregator/",),
}
"""Libraries that only these folders may import. Provisioning needs kafka-python's admin client."""


def sources(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def shown(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def imports(file: Path) -> set[str]:
    """Names of the top-level packages that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def imported_names(file: Path) -> set[str]:
    """Names that are bound by imports in a module."""
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def test_no_file_is_longer_than_the_limit() -> None:
    lengths = {shown(file): len(file.read_text().splitlines()) for file in sources(*SHIPPED, "tests")}

    assert {file: lines for file, lines in lengths.items() if lines > FILE_LINES} == {}


def test_names_of_modules_say_what_they_are_about() -> None:
    files = sources(*SHIPPED, "tests")

    assert [shown(f) for f in files if NAMES_THAT_SAY_NOTHING & {*f.relative_to(ROOT).parts, f.stem}] == []


def test_every_module_begins_with_what_it_is() -> None:
    files = [file for file in sources(*SHIPPED) if file.read_text().strip()]

    assert [shown(file) for file in files if not ast.get_docstring(tree(file))] == []


def test_no_function_is_longer_than_the_limit() -> None:
    long = {
        f"{shown(file)}:{f.name}": length(f)
        for file in sources(*SHIPPED, "tests")
        for f in functions(file)
        if length(f) > FUNCTION_LINES
    }

    assert long == {}


def test_functions_are_short_as_a_rule() -> None:
    lengths = sorted(length(f) for file in sources(*SHIPPED) for f in functions(file))

    assert statistics.median(lengths) <= FUNCTION_MEDIAN
    assert lengths[len(lengths) * 9 // 10] <= FUNCTION_90TH_PERCENTILE


def test_nothing_is_patched() -> None:
    def patches(file: Path) -> bool:
        return any(
            "mock" in ast.unparse(node)
            for node in ast.walk(tree(file))
            if isinstance(node, ast.Import | ast.ImportFrom) and "unittest" in ast.unparse(node)
        )

    assert [shown(file) for file in sources(*SHIPPED, "tests") if patches(file)] == []


def test_tests_wait_for_something_and_never_for_a_time() -> None:
    sleepers = {
        (shown(file), f.name)
        for file in sources("tests")
        for f in functions(file)
        for node in ast.walk(f)
        if isinstance(node, ast.Attribute | ast.Name)
        and ast.unparse(node) in ("time.sleep", "asyncio.sleep", "sleep")
    }

    assert sleepers - POLLERS == set()


def test_time_and_chance_come_in_at_the_edges() -> None:
    def asks(file: Path) -> set[str]:
        names = (
            ast.unparse(node) for node in ast.walk(tree(file)) if isinstance(node, ast.Attribute | ast.Name)
        )
        found = {name for name in names if CLOCKS_AND_DICE.fullmatch(name)}
        return {name for name in found if name.split(".")[0] in imported_names(file)}

    asking = {shown(file): asks(file) for file in sources(*SHIPPED)}

    assert {file: calls for file, calls in asking.items() if calls and file not in EDGES} == {}


def test_a_silenced_type_error_says_which() -> None:
    def silenced(file: Path) -> Iterator[str]:
        for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline):
            if token.type == tokenize.COMMENT and re.search(r"type:\s*ignore(?!\[[\w, -]+\])", token.string):
                yield f"{shown(file)}:{token.start[0]}"

    assert [place for file in sources(*SHIPPED, "tests") for place in silenced(file)] == []


def test_the_contract_needs_the_standard_library_and_msgspec_only() -> None:
    allowed = {*sys.stdlib_module_names, "msgspec", "schemas"}

    assert {shown(file): extra for file in sources("schemas") if (extra := imports(file) - allowed)} == {}


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_stays_with_its_owners(library: str) -> None:
    users = [shown(file) for file in sources(*SHIPPED) if library in imports(file)]

    assert [file for file in users if not file.startswith(OWNERS[library])] == []


def test_imports_keep_their_contracts() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_exceptions_to_the_rules_exist() -> None:
    functions_by_file = {
        shown(file): {f.name for f in functions(file)} for file in sources(*SHIPPED, "tests")
    }

    assert {file for file in EDGES if file not in functions_by_file} == set()
    assert {(file, name) for file, name in POLLERS if name not in functions_by_file.get(file, set())} == set()
