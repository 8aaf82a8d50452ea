"""Beside the path: the HTTP API that lists alerts for those whose key may read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from schemas.alerts import Alert, AlertKind, AlertState
from schemas.rejections import Reason, refuse
from services.alerts.access import Access, Refusal, allowed
from services.alerts.listing import alert_json, page_json, position_of
from services.alerts.store import AlertStore
from services.operations.problems import errors_route, problem

JSON = "application/json"


class AlertQuery(BaseModel):
    """Which alerts to list; what is left out does not matter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: AlertState | None = None
    kind: AlertKind | None = None
    touchpoint: str | None = Field(None, max_length=64)
    team: str | None = Field(None, max_length=128)
    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = Field(None, max_length=200)

    def wants(self, alert: Alert) -> bool:
        """Whether the alert is one of those asked for."""
        return (
            self.state in (None, alert.state)
            and self.kind in (None, alert.kind)
            and self.touchpoint in (None, alert.touchpoint)
            and self.team in (None, alert.team)
        )


def create_app(store: AlertStore, access: Access, health: Sequence[Route]) -> FastAPI:
    """The application; `health` are the routes that need no key."""
    app = FastAPI(title="Aftertouch alerts", openapi_url=None, routes=[errors_route, *health])

    @app.get("/v1/alerts")
    async def list_alerts(request: Request, query: Annotated[AlertQuery, Query()]) -> Response:
        workspace = allowed(access, request, "read").workspace
        try:
            after = position_of(query.cursor) if query.cursor else None
        except ValueError:
            raise Refusal(refuse(Reason.QUERY_INVALID)) from None
        return Response(page_json(store.page(workspace, query.wants, after, query.limit)), media_type=JSON)

    @app.get("/v1/alerts/{alert_id}")
    async def show_alert(request: Request, alert_id: str) -> Response:
        workspace = allowed(access, request, "read").workspace
        alert = store.find(alert_id)
        if alert is None or alert.workspace != workspace:
            raise Refusal(refuse(Reason.NOT_FOUND))
        return Response(alert_json(alert), media_type=JSON)

    app.add_exception_handler(Refusal, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_bad_query)
    app.add_exception_handler(HTTPException, answer_unrouted)
    app.add_exception_handler(Exception, answer_fault)
    return app


async def answer_refusal(_: Request, refusal: Exception) -> Response:
    """Why a request was refused."""
    assert isinstance(refusal, Refusal)
    return problem(refusal.rejected)


async def answer_bad_query(_: Request, error: Exception) -> Response:
    """A query string that says something else than the API understands."""
    return problem(refuse(Reason.QUERY_INVALID))


async def answer_unrouted(_: Request, error: Exception) -> Response:
    """No such path, or not with this method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return problem(refuse(Reason.METHOD_NOT_ALLOWED), headers=error.headers)
    return problem(refuse(Reason.NOT_FOUND))


async def answer_fault(_: Request, error: Exception) -> Response:
    """An error of ours; it is raised again after the answer, and logged."""
    return problem(refuse(Reason.INTERNAL_ERROR))
