"""Problem details, and the page that explains their reason words."""

from __future__ import annotations

import asyncio
import re

import pytest
from starlette.requests import Request

from schemas.rejections import REASONS, Reason, refuse
from services.operations.problems import ERRORS_PATH, STATUS, errors_route, problem


@pytest.mark.parametrize("reason", STATUS)
def test_every_type_points_to_an_anchor_of_the_errors_page(reason: Reason) -> None:
    page = asyncio.run(errors_route.endpoint(Request({"type": "http"}))).body.decode()
    found = re.search(rb'"type":"([^"]+)"', problem(refuse(reason)).body)

    assert found is not None
    path, _, anchor = found[1].decode().partition("#")
    assert path == ERRORS_PATH
    assert f'id="{anchor}"' in page


def test_the_page_explains_every_reason_word() -> None:
    page = asyncio.run(errors_route.endpoint(Request({"type": "http"}))).body.decode()

    assert set(re.findall(r'id="(\w+)"', page)) == set(REASONS)


def test_a_refused_key_names_the_scheme() -> None:
    answer = problem(refuse(Reason.KEY_UNKNOWN))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
