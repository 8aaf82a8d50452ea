"""Sessions: what ?session_id= keeps between requests (temporary tables, SET, USE)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from deploy.embedded.clickhouse.engine import Engine, Handle
from deploy.embedded.clickhouse.errors import ClickHouseError

Clock = Callable[[], float]
LONGEST = 3600.0


@dataclass(frozen=True)
class Visit:
    """How one request asks for a session; an empty id asks for none."""

    session_id: str = ""
    timeout: float = 60.0
    must_exist: bool = False
    makes_state: bool = False


@dataclass
class Session:
    """Most sessions never hold anything, so the handle comes with the first statement that leaves state."""

    expires: float
    handle: Handle | None = None
    busy: threading.Lock = field(default_factory=threading.Lock)


class Sessions:
    def __init__(self, engine: Engine, clock: Clock = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._guard = threading.Lock()
        self._sessions: dict[str, Session] = {}

    @contextmanager
    def handle(self, visit: Visit) -> Iterator[Handle]:
        """The session's handle if it has or needs one, else a fresh one that is closed afterwards."""
        if not visit.session_id:
            with self._engine.handle() as handle:
                yield handle
            return
        session = self._enter(visit)
        try:
            if visit.makes_state and session.handle is None:
                session.handle = self._engine.open()
            if session.handle is None:
                with self._engine.handle() as handle:
                    yield handle
            else:
                with _cleansed(session.handle):
                    yield session.handle
        finally:
            session.expires = self._clock() + min(visit.timeout, LONGEST)
            session.busy.release()

    def _enter(self, visit: Visit) -> Session:
        with self._guard:
            self._sweep()
            session = self._sessions.get(visit.session_id)
            if session is None:
                if visit.must_exist:
                    raise ClickHouseError(372, "Session not found.")
                session = self._sessions[visit.session_id] = Session(expires=0.0)
            if not session.busy.acquire(blocking=False):
                raise ClickHouseError(373, "Session is locked by a concurrent client.")
            return session

    def _sweep(self) -> None:
        now = self._clock()
        for name, session in list(self._sessions.items()):
            if session.expires < now and not session.busy.locked():
                self._forget(name)

    def _forget(self, name: str) -> None:
        handle = self._sessions.pop(name).handle
        if handle is not None:
            handle.close()


@contextmanager
def _cleansed(handle: Handle) -> Iterator[None]:
    try:
        yield
    except ClickHouseError:
        handle.cleanse()
        raise
