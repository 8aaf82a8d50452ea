"""Beside the path: who is calling, and what they may do. The one place where a request becomes a person or a key."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from starlette.requests import Request

from schemas.keys import KeyRing, Scope, key_of
from schemas.rejections import Reason, Rejected, refuse


class Refusal(Exception):
    """Ends a request with a problem response."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.reason)
        self.rejected = rejected


class Principal(Struct, frozen=True):
    """Who acts, by the name that is written down; in which workspace; and what they may do."""

    name: str
    workspace: str
    scopes: tuple[Scope, ...]


Access = Callable[[Request], Principal]
"""Who may call, from the request; raises Refusal."""


def by_key(keys: KeyRing) -> Access:
    """Callers are known by the key in their Authorization header."""

    def principal(request: Request) -> Principal:
        key = key_of(request.headers.get("Authorization", ""), keys)
        if isinstance(key, Rejected):
            raise Refusal(key)
        return Principal(key.name, key.workspace, tuple(key.scopes))

    return principal


def allowed(access: Access, request: Request, scope: Scope) -> Principal:
    """The caller, if they may do this; raises Refusal."""
    principal = access(request)
    if scope not in principal.scopes:
        raise Refusal(refuse(Reason.KEY_FORBIDDEN))
    return principal
