"""Who may ask: names, passwords and limits from the users file, checked before anything else."""

from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path

import msgspec

from deploy.embedded.clickhouse.errors import ClickHouseError


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the users file. The limits bind read-only users only."""

    password: str = ""
    readonly: bool = False
    max_result_rows: int = 1_000_000
    max_result_bytes: int = 256_000_000
    max_execution_time: int = 60
    max_memory_usage: int = 4_000_000_000


@dataclass(frozen=True)
class Credentials:
    name: str = "default"
    password: str = ""
    given: bool = False


class UsersUnreadable(Exception):
    """The users file cannot be used; the text says why."""


Users = dict[str, User]


def load(path: Path | None) -> Users:
    if path is None:
        return {"default": User()}
    try:
        return msgspec.json.decode(path.read_bytes(), type=Users)
    except (OSError, msgspec.MsgspecError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsersUnreadable(f"The users file {path} cannot be used: {why}.") from None


def authenticate(users: Users, credentials: Credentials) -> User:
    user = users.get(credentials.name)
    expected = user.password if user else ""
    right = compare_digest(expected.encode(), credentials.password.encode())
    if user is not None and right:
        return user
    if not credentials.given:
        raise ClickHouseError(194, f"{credentials.name}: a user name and a password are required.")
    raise ClickHouseError(
        516,
        f"{credentials.name}: Authentication failed: password is incorrect, or there is no such user.",
    )
