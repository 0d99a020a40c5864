"""What pages said is kept: in a real SQLite file, also over a restart."""

from datetime import timedelta
from pathlib import Path

import pytest

from steelyard_common.database import Database
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.adapters.schema import MIGRATIONS
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.listing import IncidentQuery
from steelyard_health.domain.status.page import PageStatus
from steelyard_health.domain.status.reading import Incident, PageReading
from tests.fakes import START

ALL = IncidentQuery()
OPEN = IncidentQuery(open_only=True)
PAGE = "https://status.test"
MINUTE = timedelta(minutes=1)


def incident(name: str = "i1", **more: object) -> Incident:
    values: dict[str, object] = {
        "title": name,
        "level": StatusLevel.DEGRADED,
        "components": ("API", "Embeddings"),
        "touches_api": True,
        "start_time": START,
        "update_time": START + timedelta(microseconds=1),
        "url": "https://status.test/i1",
        "description": "Errors: \N{SNOWMAN}",
    }
    return Incident(incident_id=name, **(values | more))  # type: ignore[arg-type]


def reading(*incidents: Incident, level: StatusLevel = StatusLevel.DEGRADED) -> PageReading:
    return PageReading(level=level, description="Partly down", incidents=incidents)


async def listed(store: IncidentStore, query: IncidentQuery = ALL) -> list[Incident]:
    return [each.incident for each in await store.page(query, after=None, limit=1000)]


async def test_a_reading_is_kept_as_it_is_over_a_restart(
    store: IncidentStore, tmp_path: Path
) -> None:
    told = incident()
    await store.save_reading("acme", PAGE, reading(told), START)

    database = await Database.open("health", data_dir=tmp_path, migrations=MIGRATIONS)
    again = IncidentStore(database)
    pages, incidents = await again.pages(), await listed(again)
    await database.close()

    assert incidents == [told]
    assert pages == {
        "acme": PageStatus(
            level=StatusLevel.DEGRADED,
            description="Partly down",
            page_url=PAGE,
            read_time=START,
            open_incident_count=1,
        )
    }


async def test_an_incident_that_goes_on_is_kept_once(store: IncidentStore) -> None:
    await store.save_reading("acme", PAGE, reading(incident()), START)
    worse = incident(level=StatusLevel.OUTAGE, description="Worse")
    await store.save_reading("acme", PAGE, reading(worse), START + MINUTE)

    assert await listed(store) == [worse]


async def test_an_incident_that_the_page_forgot_is_over_and_may_come_back(
    store: IncidentStore,
) -> None:
    await store.save_reading("acme", PAGE, reading(incident()), START)
    await store.save_reading("other", PAGE, reading(incident()), START)
    await store.save_reading("acme", PAGE, reading(), START + MINUTE)

    assert [each.end_time for each in await listed(store)] == [None, START + MINUTE]
    assert (await store.pages())["acme"].open_incident_count == 0
    assert await store.count(OPEN) == 1

    await store.save_reading("acme", PAGE, reading(incident()), START + 2 * MINUTE)

    assert await store.count(OPEN) == 2


async def test_only_incidents_that_touch_the_api_and_last_are_counted(
    store: IncidentStore,
) -> None:
    over = incident("over", end_time=START)
    await store.save_reading(
        "acme", PAGE, reading(incident(), incident("app", touches_api=False), over), START
    )

    assert (await store.pages())["acme"].open_incident_count == 1


async def test_a_failure_keeps_what_was_read_and_says_why(store: IncidentStore) -> None:
    await store.save_reading("acme", PAGE, reading(incident()), START)
    await store.save_failure("acme", PAGE, "answered 403\0 " + "x" * 1000, START + MINUTE)

    page = (await store.pages())["acme"]
    assert (page.level, page.read_time) == (StatusLevel.DEGRADED, START)
    assert page.problem.startswith("answered 403 x")
    assert len(page.problem) == 500
    assert await store.count(OPEN) == 1

    await store.save_reading("acme", PAGE, reading(incident()), START + 2 * MINUTE)

    assert (await store.pages())["acme"].problem == ""


async def test_a_page_that_was_never_read_is_unknown(store: IncidentStore) -> None:
    await store.save_failure("acme", PAGE, "no connection", START)

    page = (await store.pages())["acme"]
    assert page == PageStatus(page_url=PAGE, problem="no connection")
    assert page.factor_at(START) == 1.0


@pytest.mark.parametrize(
    ("age", "factor"),
    [
        (timedelta(0), 0.5),
        (timedelta(minutes=15), 0.5),
        (timedelta(minutes=15, seconds=1), 1.0),
    ],
)
async def test_what_a_page_said_counts_for_a_quarter_of_an_hour(
    store: IncidentStore, age: timedelta, factor: float
) -> None:
    await store.save_reading("acme", PAGE, reading(level=StatusLevel.OUTAGE), START)

    page = (await store.pages())["acme"]

    assert page.factor_at(START + age) == factor
    assert (page.level_at(START + age) is StatusLevel.OUTAGE) == (factor < 1)


async def test_incidents_are_forgotten_400_days_after_their_end(store: IncidentStore) -> None:
    days = timedelta(days=1)
    old = incident("old", start_time=START - 500 * days)
    over = incident("over", end_time=START)
    await store.save_reading("acme", PAGE, reading(old, over), START)

    assert await store.prune(START + 399 * days) == 0
    assert await store.prune(START + 400 * days) == 1
    assert await listed(store) == [old]


async def test_what_ended_long_ago_is_not_even_kept(store: IncidentStore) -> None:
    day = timedelta(days=1)
    ancient = incident(start_time=START - 500 * day, end_time=START - 401 * day)
    await store.save_reading("acme", PAGE, reading(ancient), START)

    assert await listed(store) == []
