"""Whatever a page sends: a reading or one typed error."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard_health.domain.status.formats import READERS, max_bytes, read_page
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.reading import MAX_INCIDENTS, UnreadablePageError
from tests.health.status.pages import NOW, RULES, incident, item, rss, summary

FORMATS = sorted(READERS)
PROVIDERS = {"google": "vertex_ai", "aws": "bedrock", "rss": "mistral"}
BOT_WALL = b"<html><head><title>Just a moment...</title></head><body>wait</body></html>"
BOMB = (
    b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    b"<rss><channel><title>&b;</title></channel></rss>"
)

WORDS = (
    *("id", "name", "status", "components", "incidents", "impact", "started_at", "created_at"),
    *("scheduled_maintenances", "scheduled_for", "incident_updates", "body", "group", "group_id"),
    *("included", "type", "attributes", "public_name", "aggregate_state", "starts_at", "ends_at"),
    *("affected_resources", "status_page_resource_id", "relationships", "status_updates", "data"),
    *("page", "activeIncidents", "activeMaintenances", "start", "started", "active_changes"),
    *("change_id", "title", "start_at_seconds", "affected_components", "component_id", "updates"),
    *("begin", "affected_products", "most_recent_update", "when", "status_impact", "end"),
    *("service", "date", "event_log", "timestamp", "impacted_services", "current", "end_time"),
)
TEXTS = st.sampled_from(
    [
        *("operational", "major_outage", "investigating", "resolved", "in_progress", "API", "UP"),
        *("HASISSUES", "2026-01-02T02:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31", "nan"),
        *("status_page_resource", "status_report", "status_update", "maintenance", "critical"),
        *("bedrock-us-east-1", "Z0FZJAMvEB4j3NbCJs6B", "\ud800", "\x00", "x" * 400, "1e999"),
    ]
)
LEAVES = TEXTS | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
VALUES: st.SearchStrategy[object] = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6)
    ),
    max_leaves=25,
)
LISTED = st.fixed_dictionaries(
    {"id": TEXTS, "name": TEXTS, "status": TEXTS, "title": TEXTS, "service": TEXTS},
    optional={
        "begin": TEXTS,
        "started": TEXTS,
        "start": TEXTS,
        "started_at": TEXTS,
        "date": LEAVES,
        "change_id": st.integers(),
        "start_at_seconds": st.integers() | st.floats(),
        "component_id": TEXTS,
        "components": st.lists(st.fixed_dictionaries({"name": TEXTS, "status": TEXTS}), max_size=2),
        "affected_products": st.lists(st.fixed_dictionaries({"id": TEXTS}), max_size=2),
        "attributes": st.dictionaries(st.sampled_from(WORDS), TEXTS, max_size=6),
        "type": TEXTS,
    },
)
LISTS = st.lists(LISTED, max_size=3)
DOCUMENTS = (
    VALUES
    | LISTS
    | st.fixed_dictionaries({"components": LISTS, "incidents": LISTS})
    | st.fixed_dictionaries(
        {"page": st.fixed_dictionaries({"status": TEXTS}), "activeIncidents": LISTS}
    )
    | st.fixed_dictionaries({"included": LISTS})
    | st.fixed_dictionaries(
        {
            "data": st.fixed_dictionaries(
                {
                    "page": st.fixed_dictionaries({"components": LISTS}),
                    "active_changes": LISTS,
                }
            )
        }
    )
)
CELLS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="<>&"), max_size=20
) | st.sampled_from(["Status: Resolved", "[API] Down", "Fri, 02 Jan 2026 02:00:00 GMT", ""])


def check(status_format: str, body: bytes) -> None:
    """Fail unless a body is read, within bounds, or refused with the typed error."""
    rules = RULES.of(PROVIDERS.get(status_format, "acme"))
    try:
        reading = read_page(status_format, body, rules, NOW)
    except UnreadablePageError:
        return
    assert reading.level in StatusLevel
    assert len(reading.incidents) <= MAX_INCIDENTS
    for told in reading.incidents:
        told.title.encode()
        assert len(told.title) <= 300
        assert len(told.incident_id) <= 256
        assert told.start_time.utcoffset() is not None
        assert told.end_time is None or told.end_time >= told.start_time


@pytest.mark.parametrize("status_format", FORMATS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"{}",
        b"42",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b"\xff\xfe\x00\xd8",
        b"\x00" * 100,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"<a>" * 100_000,
        b'[{"x":' * 50_000 + b"1" + b"}]" * 50_000,
        BOT_WALL,
        b"<?xml version='1.0'?>" + BOT_WALL,
        BOMB,
        b"<?xml version='1.0' encoding='utf-16'?><rss><channel/></rss" + b"\xff",
    ],
)
def test_what_is_no_page_is_refused(status_format: str, body: bytes) -> None:
    with pytest.raises(UnreadablePageError):
        read_page(status_format, body, RULES.default, NOW)


@pytest.mark.parametrize("status_format", FORMATS)
def test_what_is_too_large_is_refused_before_it_is_read(status_format: str) -> None:
    body = b"[]" + b" " * max_bytes(status_format)

    with pytest.raises(UnreadablePageError, match="too large"):
        read_page(status_format, body, RULES.default, NOW)


def test_feeds_with_types_too_many_parts_or_depths_are_refused() -> None:
    deep = "<a>" * 100 + "</a>" * 100
    many = "<item/>" * 30_000

    for inside in (deep, many):
        with pytest.raises(UnreadablePageError, match="too deep or has too many parts"):
            read_page("rss", rss(inside).encode(), RULES.default, NOW)
    with pytest.raises(UnreadablePageError, match="declares types"):
        read_page("rss", BOMB, RULES.default, NOW)


@pytest.mark.parametrize(
    ("status_format", "document"),
    [
        ("statuspage", summary({f"c{n}": "operational" for n in range(1001)})),
        (
            "statuspage",
            summary({"API": "operational"}, [incident(id=f"i{n}") for n in range(1001)]),
        ),
        ("aws", [{"service": "bedrock-us-east-1", "date": n} for n in range(1, 1002)]),
    ],
)
def test_more_parts_than_any_page_has_are_refused(status_format: str, document: object) -> None:
    body = json.dumps(document).encode()

    with pytest.raises(UnreadablePageError, match="more than 1000"):
        read_page(status_format, body, RULES.of(PROVIDERS.get(status_format, "acme")), NOW)


def test_an_entry_without_a_time_is_not_understood() -> None:
    with pytest.raises(UnreadablePageError, match="without a time"):
        read_page("rss", rss(item("x", "y", date="soon")).encode(), RULES.default, NOW)


@pytest.mark.parametrize("status_format", FORMATS)
@settings(max_examples=150, deadline=None)
@given(document=DOCUMENTS)
def test_any_json_is_read_or_refused(status_format: str, document: object) -> None:
    check(status_format, json.dumps(document).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("status_format", FORMATS)
@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(status_format: str, body: bytes) -> None:
    check(status_format, body)


@settings(max_examples=200, deadline=None)
@given(cells=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=4))
def test_any_feed_is_read_or_refused(cells: list[tuple[str, str, str, str]]) -> None:
    items = [item(title, text, date=date, guid=guid) for title, text, date, guid in cells]

    check("rss", rss(*items).encode())


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(0, 2000))
def test_a_feed_that_is_cut_off_is_refused(cut: int) -> None:
    body = rss(*[item("Errors", "Status: Investigating", guid=f"g{n}") for n in range(10)]).encode()

    with pytest.raises(UnreadablePageError):
        read_page("rss", body[: min(cut, len(body) - 1)], RULES.default, NOW)
