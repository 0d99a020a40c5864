"""What outlives the process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from steelyard_common.database import Database
from steelyard_pricing.adapters.source_store import MIGRATIONS, DatabaseSourceStore
from steelyard_pricing.domain.source import SourceFailure, SourceState
from tests.pricing.builders import a_fact, tokens

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DatabaseSourceStore]:
    database = await Database.open("pricing", data_dir=tmp_path, migrations=MIGRATIONS)
    yield DatabaseSourceStore(database)
    await database.close()


async def reopened(tmp_path: Path) -> tuple[Database, DatabaseSourceStore]:
    database = await Database.open("pricing", data_dir=tmp_path, migrations=MIGRATIONS)
    return database, DatabaseSourceStore(database)


async def test_p11_how_reading_went_is_remembered_with_aware_times(
    store: DatabaseSourceStore,
) -> None:
    state = (
        SourceState()
        .succeeded(NOW)
        .failed(SourceFailure("http_status", "litellm answered 500", LATER))
    )

    await store.record("litellm", SourceState())
    await store.record("litellm", state)

    assert await store.states() == {"litellm": state}


async def test_versions_increase_over_restarts(store: DatabaseSourceStore, tmp_path: Path) -> None:
    versions = [await store.next_version(), await store.next_version()]
    database, other = await reopened(tmp_path)
    versions.append(await other.next_version())
    await database.close()

    assert versions == sorted(set(versions))
    assert min(versions) > 0


async def test_a_fact_keeps_its_date_until_it_changes(store: DatabaseSourceStore) -> None:
    await store.observe(
        "litellm", [a_fact("acme/same", tokens("1")), a_fact("acme/cut", tokens("2"))], NOW
    )

    observed = await store.observe(
        "litellm",
        [
            a_fact("acme/same", tokens("1")),
            a_fact("acme/cut", tokens("1")),
            a_fact("acme/new", tokens("1")),
        ],
        LATER,
    )

    assert [each.observed_time for each in observed] == [NOW, LATER, LATER]


async def test_a_fact_that_comes_back_is_dated_anew(store: DatabaseSourceStore) -> None:
    fact = a_fact("acme/model", tokens("1"))
    await store.observe("litellm", [fact], NOW)
    await store.observe("litellm", [], NOW)

    (observed,) = await store.observe("litellm", [fact], LATER)

    assert observed.observed_time == LATER


async def test_sources_are_dated_apart(store: DatabaseSourceStore) -> None:
    fact = a_fact("openrouter/acme/model", tokens("1"))
    await store.observe("litellm", [fact], NOW)

    (observed,) = await store.observe("openrouter", [fact], LATER)

    assert observed.observed_time == LATER
