"""Of when a body is: what it says itself, its name, the header, the day it was fetched."""

import gzip
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_registry.adapters.score_readers.edition_date import edition_date_of

FETCHED = date(2026, 11, 1)
HEADER = "Tue, 06 Oct 2026 23:30:00 GMT"
NO_DATE = b'{"full": {}}'


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://example.org/data/leaderboard-2025-12-11.json", date(2025, 12, 11)),
        ("https://example.org/table_2026_01_08.csv?raw=1", date(2026, 1, 8)),
        ("https://example.org/elo_results_20251211.csv", date(2025, 12, 11)),
        ("https://example.org/from_2024-01-01_to_2025-02-03.csv", date(2025, 2, 3)),
        ("https://example.org/table%5F2026_01_08.csv", date(2026, 1, 8)),
        # No dates, or none that is believed: the header counts.
        ("https://example.org/2025-12-11/table.csv", date(2026, 10, 6)),
        ("https://example.org/table_2025-13-45.csv", date(2026, 10, 6)),
        ("https://example.org/table_2025-12_11.csv", date(2026, 10, 6)),
        ("https://example.org/120251211.csv", date(2026, 10, 6)),
        ("https://example.org/table_2027-01-01.csv", date(2026, 10, 6)),
        ("https://example.org/table_2019-01-01.csv", date(2026, 10, 6)),
        ("https://[broken", date(2026, 10, 6)),
        ("", date(2026, 10, 6)),
    ],
)
def test_a_date_in_the_file_name_counts_before_the_header(url: str, day: date) -> None:
    assert edition_date_of(url, HEADER, NO_DATE, FETCHED) == day


@pytest.mark.parametrize(
    ("body", "day"),
    [
        (b'{"updated_at": "2026-10-03 11:57:24", "models": []}', date(2026, 10, 3)),
        (b'{"updated_at": "2026-10-03"}', date(2026, 10, 3)),
        (gzip.compress(b'{"updated_at": "2026-10-03T01:02:03Z"}', mtime=0), date(2026, 10, 3)),
        (
            b"model_id,updated_at\na,2025-07-19T19:56:11+00:00\nb,2025-08-01\nc,x\nd\n",
            date(2025, 8, 1),
        ),
        (b"updated_at\n2099-01-01\n2025-08-01\n", date(2025, 8, 1)),
    ],
)
def test_a_date_in_the_body_counts_first(body: bytes, day: date) -> None:
    assert edition_date_of("https://example.org/2026_01_08.csv", HEADER, body, FETCHED) == day


@pytest.mark.parametrize(
    "body",
    [
        b'{"updated_at": "2026-10-031"}',
        b'{"updated_at": 1791008844}',
        b'{"updated_at": "2026-99-99"}',
        b'{"updated_at": "2099-01-01"}',
        b'{"updated_at": NaN}',
        b'["updated_at"]',
        b"\xffupdated_at",
        b"\x1f\x8bupdated_at",
        b"no header updated_at",
        b"",
    ],
)
def test_a_body_without_a_believable_date_leaves_it_to_the_name(body: bytes) -> None:
    url = "https://example.org/table_2026_01_08.csv"

    assert edition_date_of(url, HEADER, body, FETCHED) == date(2026, 1, 8)


@pytest.mark.parametrize(
    "header",
    [None, "", "yesterday", "Tue, 06 Oct 2099 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"],
)
def test_with_nothing_else_it_is_of_the_day_it_was_fetched(header: str | None) -> None:
    assert edition_date_of("https://example.org/table.csv", header, NO_DATE, FETCHED) == FETCHED


def test_the_header_is_read_in_utc() -> None:
    header = "Tue, 06 Oct 2026 23:30:00 -0500"

    assert edition_date_of("", header, NO_DATE, FETCHED) == date(2026, 10, 7)


@given(
    url=st.text() | st.from_regex(r"https://h/[0-9_-]{4,12}\.csv"),
    header=st.none() | st.text() | st.from_regex(r"Tue, [0-9]{1,3} Oct [0-9]{1,6} [0-9:]{1,9} GMT"),
    body=st.binary()
    | st.text().map(lambda text: f'{{"updated_at": "{text}"}}'.encode())
    | st.text().map(lambda text: f"a,updated_at\n{text},{text}\n".encode()),
    fetched=st.dates(min_value=date(2020, 1, 2)),
)
def test_it_is_never_of_the_future_and_never_fails(
    url: str, header: str | None, body: bytes, fetched: date
) -> None:
    assert date(2020, 1, 1) <= edition_date_of(url, header, body, fetched) <= fetched


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"full": {"claude-x-20251101": {}, "gpt-4o-2024-08-06": {}}}', date(2025, 11, 1)),
        (b"model,arena_elo\nGPT-4o-2024-05-13,1287\n", date(2024, 5, 13)),
        (b'{"full": {"claude-x-20991101": {}, "gpt-4o-20240806": {}}}', date(2024, 8, 6)),
        (b'{"full": {"gpt-4o": {"rating": 20240806}}}', FETCHED),
        (b"\x1f\x8b no gzip", FETCHED),
    ],
)
def test_a_body_without_a_date_is_as_old_as_the_newest_snapshot_that_it_names(
    body: bytes, expected: date
) -> None:
    assert edition_date_of("https://example.com/board.json", None, body, FETCHED) == expected


@pytest.mark.real_data
@pytest.mark.parametrize("day", [date(2025, 3, 7), date(2025, 12, 11)])
def test_real_boards_name_snapshots_of_the_weeks_before(real_data: Path, day: date) -> None:
    body = (real_data / f"lmarena/leaderboard-text_{day.isoformat()}.json.gz").read_bytes()

    found = edition_date_of("https://example.com/board.json", None, body, FETCHED)

    assert day - timedelta(days=45) <= found <= day
