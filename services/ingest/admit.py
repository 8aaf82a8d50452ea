"""First look at a request, before its body is read: whose key it carries and what that key may do."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from schemas.keys import KeyRing, key_of
from schemas.rejections import Reason, Rejected, refuse


class Sender(Struct, frozen=True):
    """Whom the answers of a request belong to, and whether they are history."""

    workspace: str
    imported: bool


def admit(authorization: str, query: Mapping[str, str], keys: KeyRing) -> Sender | Rejected:
    """Say who sends. Keys in the query string are refused: they would end up in logs."""
    key = key_of(authorization, keys)
    if isinstance(key, Rejected):
        return key
    if any((name, value) != ("history", "1") for name, value in query.items()):
        return refuse(Reason.QUERY_INVALID, "the only parameter is history=1")
    imported = "history" in query
    scope = "import" if imported else "write"
    if scope not in key.scopes:
        return refuse(Reason.KEY_FORBIDDEN, f"the key lacks the scope '{scope}'")
    return Sender(key.workspace, imported)
