"""Fixtures of these tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from steelyard_common.database import Database
from steelyard_health.adapters.incident_store import IncidentStore
from steelyard_health.adapters.schema import MIGRATIONS
from tests.fakes import FakeFeedServer


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open("health", data_dir=tmp_path, migrations=MIGRATIONS)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> IncidentStore:
    return IncidentStore(database)


@pytest.fixture
async def publisher() -> AsyncIterator[FakeFeedServer]:
    async with FakeFeedServer() as server:
        yield server
