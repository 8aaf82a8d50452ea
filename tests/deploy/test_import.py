"""Importing history, piece by piece: mapping, reading, times, slugs, ids, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.history.convert import Prepared, Ready, prepare
from deploy.history.mapping import Mapping, parse_mapping
from deploy.history.replay import BATCH_BYTES, batches
from deploy.history.report import slug_lines
from deploy.history.slugs import slugify
from deploy.history.table import Row, delimiter_of, read_table
from deploy.history.times import Reading, read_time, reading
from deploy.up.failure import Failure
from schemas.rejections import Reason

SAMPLES = Path(__file__).with_name("samples")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WARSAW = "Europe/Warsaw"
POLISH = parse_mapping(
    ["touchpoint=Gdzie", "score=Ocena", "occurred_at=Kiedy", "comment=Uwagi", "event_id=Numer"],
    ["metric=csat", "channel=phone"],
)
TABS = parse_mapping(
    ["touchpoint=place", "score=rating", "occurred_at=when", "tags.plan=plan"], ["metric=CES"]
)


def prepared(file: str, mapping: Mapping, how: Reading) -> Prepared:
    return prepare(read_table(SAMPLES / file).rows, mapping, how, NOW)


def bodies(result: Prepared) -> list[dict[str, object]]:
    return [json.loads(ready.body) for ready in result.ready]


def test_a_polish_spreadsheet() -> None:
    result = prepared("polish.csv", POLISH, reading("", WARSAW))
    assert bodies(result)[0] == {
        "touchpoint": "platnosci-i-zwroty",
        "metric": "csat",
        "score": 5,
        "event_id": "1",
        "occurred_at": "2024-03-30T11:00:00Z",
        "channel": "phone",
        "comment": "Super 👍\r\ndruga linia; ze średnikiem",
    }
    assert [(r.event_id, r.line) for r in result.ready] == [("1", 2), ("3", 5), ("4", 6)]
    assert [(r.line, r.column, r.reason) for r in result.refused] == [
        (7, "Ocena", Reason.SCORE_OUT_OF_RANGE),
        (8, "Kiedy", Reason.OCCURRED_AT_INVALID),
        (9, "Gdzie", Reason.TOUCHPOINT_INVALID),
        (13, "", Reason.FIELD_INVALID),
    ]
    assert result.skipped == {"no_rating": 1, "same_id_other_answer": 1, "same_id_same_answer": 1}
    assert result.slugs == {"Płatności i zwroty": "platnosci-i-zwroty", "Infolinia": "infolinia"}


def test_tabs_zones_tags_and_rows_without_ids() -> None:
    result = prepared("tabs.csv", TABS, reading("", ""))
    assert [b["occurred_at"] for b in bodies(result)] == [
        "2023-12-31T23:00:00Z",
        "2024-01-02T00:00:00Z",
        "2024-01-02T00:00:00Z",
    ]
    assert [b.get("tags") for b in bodies(result)] == [None, {"plan": "pro"}, {"plan": "pro"}]
    assert len({b["event_id"] for b in bodies(result)}) == 3, "identical rows are answers of their own"
    assert bodies(prepared("tabs.csv", TABS, reading("", ""))) == bodies(result), "with stable ids"


def test_json_lines() -> None:
    mapping = parse_mapping(
        ["touchpoint=topic", "score=score", "occurred_at=at", "comment=text", "customer_id=who"],
        ["metric=nps"],
    )
    result = prepared("lines.jsonl", mapping, reading("", ""))
    assert [(b["score"], b.get("customer_id"), b.get("comment")) for b in bodies(result)] == [
        (0, "c1", None),
        (10, None, "line one\nline two 🎉"),
    ]
    assert [(r.line, r.reason) for r in result.refused] == [(4, "field_invalid"), (5, "score_invalid")]
    assert result.skipped == {"no_rating": 1}


def test_a_constant_fills_empty_cells() -> None:
    mapping = Mapping(POLISH.columns, POLISH.constants | {"touchpoint": "unknown"})
    assert bodies(prepared("polish.csv", mapping, reading("", WARSAW)))[0]["touchpoint"] == "unknown"


@pytest.mark.parametrize(
    ("local", "instant", "oddity"),
    [
        ("2024-03-31T01:59", "2024-03-31T00:59", None),
        ("2024-03-31T02:30", "2024-03-31T01:30", "never"),
        ("2024-03-31T03:00", "2024-03-31T01:00", None),
        ("2024-10-27T02:30", "2024-10-27T00:30", "twice"),
        ("2024-10-27T03:00", "2024-10-27T02:00", None),
        ("2024-10-27T02:30+01:00", "2024-10-27T01:30", None),
        ("2024-07-01", "2024-06-30T22:00", None),
    ],
)
def test_local_times(local: str, instant: str, oddity: str | None) -> None:
    how = reading("", WARSAW)
    assert read_time(local, how) == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert how.oddities == ({oddity: 1} if oddity else {})


def test_a_time_format() -> None:
    assert read_time("01/09/21", reading("%d/%m/%y", "UTC")) == datetime(2021, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("maps", "constants", "said"),
    [
        ([], ["metric=csat"], "--map touchpoint=COLUMN --map score=COLUMN --map occurred_at=COLUMN"),
        (["touchpoint"], [], "--map touchpoint: write it as --map FIELD=COLUMN"),
        (["touchpoint="], [], "write it as"),
        (["colour=x"], [], "feedback has no field 'colour'"),
        (["tags.=x"], [], "feedback has no field 'tags.'"),
        ([], ["workspace=other"], "feedback has no field 'workspace'"),
    ],
)
def test_a_wrong_mapping_is_explained(maps: list[str], constants: list[str], said: str) -> None:
    with pytest.raises(Failure) as failure:
        parse_mapping(maps, constants)
    assert said in str(failure.value)


def test_times_without_a_zone_need_one() -> None:
    with pytest.raises(Failure, match=r"column 'Kiedy' carry no zone \(line 2: .*--zone Europe/Warsaw"):
        prepared("polish.csv", POLISH, reading("", ""))


def test_times_that_cannot_be_read_need_a_format() -> None:
    with pytest.raises(Failure, match=r"'2024-03-30 12:00' in column 'Kiedy' \(line 2\).*--time-format"):
        prepared("polish.csv", POLISH, reading("%d/%m/%y", WARSAW))


def test_an_unknown_zone_is_explained() -> None:
    with pytest.raises(Failure, match="no time zone 'Warschau'"):
        reading("", "Warschau")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first line is empty"),
        (b"a,a\n1,2\n", "same name"),
        ("Ocena\nż\n".encode("iso-8859-2"), "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_explained(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(Failure, match=said):
        read_table(tmp_path / "x.csv")


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="No such file"):
        read_table(tmp_path / "none.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    assert delimiter_of(delimiter.join(["id", '"a, b; c"', "when"]) + "\r\n") == delimiter


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("support.chat", "support.chat"),
        ("Payment related", "payment-related"),
        ("  Żółta łódź / Kraków! ", "zolta-lodz-krakow"),
        ("Straße", "strasse"),
        ("A & B", "a-b"),
        ("", ""),
    ],
)
def test_slugs(name: str, slug: str) -> None:
    assert slugify(name) == slug


@given(st.text(min_size=1).filter(str.strip))
def test_every_name_has_a_slug_that_ingest_takes(name: str) -> None:
    cells = {"p": name, "s": "5", "t": "2024-01-01T00:00:00Z"}
    mapping = parse_mapping(["touchpoint=p", "score=s", "occurred_at=t"], ["metric=csat"])
    assert prepare([Row(2, cells)], mapping, reading("", ""), NOW).refused == []


def test_names_that_become_one_touchpoint_are_said() -> None:
    lines = slug_lines({"A b": "a-b", "a-b": "a-b", "c": "c"})
    assert lines == ["2 touchpoints, renamed:", "  A b -> a-b", "Careful: A b and a-b became one: a-b."]


@settings(max_examples=30)
@given(st.lists(st.integers(1, 40_000), max_size=1200))
def test_batches_lose_nothing_and_fit(sizes: list[int]) -> None:
    ready = [Ready(NOW, line, str(line), b"x" * size) for line, size in enumerate(sizes)]
    made = list(batches(ready))
    assert [answer for batch in made for answer in batch] == ready
    assert all(len(batch) <= 500 for batch in made)
    assert all(sum(len(a.body) + 1 for a in batch) <= BATCH_BYTES for batch in made)


def test_rows_are_posted_in_time_order() -> None:
    times = [f"2024-01-{day:02}T00:00:00Z" for day in (3, 1, 2, 1)]
    rows = [Row(i, {"p": "a", "s": "5", "t": t}) for i, t in enumerate(times)]
    mapping = parse_mapping(["touchpoint=p", "score=s", "occurred_at=t"], ["metric=csat"])
    result = prepare(rows, mapping, reading("", ""), NOW)
    assert [ready.line for ready in result.ready] == [1, 3, 2, 0]
    assert Counter(result.skipped) == Counter()
