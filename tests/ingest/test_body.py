"""Splitting a body loses nothing, keeps the order, and never raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rejections import Reason, Rejected
from services.ingest.body import BATCH_LIMIT, Media, media_of, split

FEW = settings(max_examples=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def texts(body: bytes, media: Media) -> list[bytes]:
    items = split(body, media)
    assert not isinstance(items, Rejected), items
    return [bytes(item) for item in items]


@FEW
@given(st.lists(values, max_size=20))
def test_an_array_becomes_its_elements(elements: list[object]) -> None:
    assert [json.loads(t) for t in texts(json.dumps(elements).encode(), "json")] == elements


@FEW
@given(st.lists(values, min_size=1, max_size=20), st.sampled_from([b"\n", b"\r\n", b"\n \n\n"]))
def test_lines_become_items(elements: list[object], newline: bytes) -> None:
    body = newline.join(json.dumps(e).encode() for e in elements)
    assert [json.loads(t) for t in texts(body, "ndjson")] == elements


@given(st.binary(max_size=200), st.sampled_from(["json", "ndjson"]))
def test_whatever_comes_is_split_or_refused(body: bytes, media: Media) -> None:
    items = split(body, media)
    assert isinstance(items, Rejected) or 0 <= len(items) <= BATCH_LIMIT


def test_anything_but_an_array_is_one_item_as_it_came() -> None:
    assert texts(b' {"a": [1, 2} ', "json") == [b'{"a": [1, 2}']


def test_a_line_break_inside_a_json_array_is_no_border() -> None:
    assert len(texts(b'[\n{"a":\n1}\n,\n2]\n', "json")) == 2


@pytest.mark.parametrize(
    ("headers", "media"),
    [
        ({"content-type": "application/json"}, "json"),
        ({"content-type": 'APPLICATION/json ; charset="UTF-8"'}, "json"),
        ({"content-type": "application/json;"}, "json"),
        ({"content-type": "application/x-ndjson", "content-encoding": "identity"}, "ndjson"),
    ],
)
def test_known_media(headers: dict[str, str], media: Media) -> None:
    assert media_of(headers) == media


def test_media_must_be_said() -> None:
    media = media_of({})
    assert isinstance(media, Rejected)
    assert media.reason is Reason.CONTENT_TYPE_UNSUPPORTED
