"""Who may call the HTTP doors: keys are kept as SHA-256 only, and each belongs to one workspace."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.feedback import Slug
from schemas.rejections import Reason, Rejected, refuse

Scope = Literal["write", "import", "read", "act"]


class Key(Struct, frozen=True, forbid_unknown_fields=True):
    """One key as kept on disk: `name` for people, `sha256` of the secret in hex, and what it may do."""

    name: str
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    workspace: Slug
    scopes: list[Scope]


class KeyRing(Struct, frozen=True):
    """All known keys by the hash of their secret."""

    by_hash: dict[str, Key]

    def find(self, secret: str) -> Key | None:
        """The key with this secret."""
        return self.by_hash.get(digest(secret))


def key_of(authorization: str, keys: KeyRing) -> Key | Rejected:
    """The key in an Authorization header."""
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        return refuse(Reason.KEY_MISSING)
    return keys.find(secret.strip()) or refuse(Reason.KEY_UNKNOWN)


def digest(secret: str) -> str:
    """The form in which a secret is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def read_keys(raw: bytes) -> KeyRing:
    """Read a keys file: a JSON list of keys. Raises ValueError that says what is wrong with it."""
    try:
        keys = msgspec.json.decode(raw, type=list[Key])
    except msgspec.MsgspecError as error:
        raise ValueError(f"the keys file is not a JSON list of keys: {error}") from error
    return KeyRing({key.sha256: key for key in keys})


def write_keys(keys: list[Key]) -> bytes:
    """The keys file that `read_keys` reads."""
    return msgspec.json.format(msgspec.json.encode(keys), indent=2)
