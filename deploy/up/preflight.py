"""What is looked at before anything starts: the packages, the data directory, the ports."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from typing import TextIO

from deploy.up.failure import CANNOT_START, Failure
from deploy.up.parts import NAMES, PORT_OF
from deploy.up.settings import UpSettings

RELEASE_SECONDS = 2.0
"""How long a port may take to come free: the parts of an instance that was killed need a moment to end."""


def require_packages() -> None:
    """Every package that the project declares is installed."""
    if missing := missing_packages(metadata.requires("aftertouch") or [], _is_installed):
        raise Failure(
            f"Python packages are missing: {', '.join(missing)}. `make up` installs them.", CANNOT_START
        )


def missing_packages(declared: Iterable[str], is_installed: Callable[[str], bool]) -> list[str]:
    """Names of the required packages that are not there; those of extras are not required."""
    required = [requirement for requirement in declared if "extra ==" not in requirement]
    names = [re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0] for requirement in required]
    return [name for name in names if not is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@contextmanager
def sole_use(data: Path) -> Iterator[None]:
    """Hold the data directory against a second instance."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Failure(
            f"The data directory {data} cannot be used ({error.strerror}): set AFTERTOUCH_DATA.",
            CANNOT_START,
        ) from None
    with os.fdopen(lock, "r+") as file:
        _lock(file, data)
        yield


def _lock(file: TextIO, data: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure(
            f"Aftertouch already runs on the data directory {data} (process {file.read().strip()}): "
            "stop it first, or set AFTERTOUCH_DATA to another directory.",
            CANNOT_START,
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()


def choose_ports(settings: UpSettings, names: tuple[str, ...]) -> dict[str, int]:
    """The port of every part: as set, or a free one for 0. Those of `names` must not be taken."""
    wanted: dict[str, int] = {name: getattr(settings, PORT_OF[name]) for name in NAMES}
    _refuse_twice({name: port for name, port in wanted.items() if port and name in names})
    for name in names:
        _await_release(name, wanted[name])
    return _fill_in(wanted)


def _refuse_twice(wanted: Mapping[str, int]) -> None:
    owners: dict[int, str] = {}
    for name, port in wanted.items():
        if port in owners:
            raise Failure(
                f"Port {port} is set for both {owners[port]} and {name}: change {PORT_OF[name].upper()}.",
                CANNOT_START,
            )
        owners[port] = name


def _await_release(name: str, port: int) -> None:
    deadline = time.monotonic() + RELEASE_SECONDS
    while not _is_free(port):
        if time.monotonic() > deadline:
            variable = PORT_OF[name].upper()
            raise Failure(
                f"Port {port}, on which {name} should listen, is taken by another program: "
                f"stop that program, or set {variable} to another port ({variable}=0 takes a free one).",
                CANNOT_START,
            )
        time.sleep(0.1)


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _fill_in(wanted: Mapping[str, int]) -> dict[str, int]:
    """A free port for each 0; all are held until the last is found, so that they differ."""
    with ExitStack() as held:
        probes = {
            name: held.enter_context(socket.create_server(("127.0.0.1", 0)))
            for name, port in wanted.items()
            if not port
        }
        return {name: port or int(probes[name].getsockname()[1]) for name, port in wanted.items()}
