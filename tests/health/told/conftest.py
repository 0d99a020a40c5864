"""Databases and servicers of one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from steelyard.health.v1 import health_service_pb2_grpc as pb_grpc
from steelyard_common.database import Database
from tests.conftest import Serve
from tests.fakes import FakeClock
from tests.health.told.serving import ToldServicer, open_database, serve_told


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path) as database:
        yield database


@pytest.fixture
def servicer(database: Database, clock: FakeClock) -> ToldServicer:
    # What it does not define answers UNIMPLEMENTED from the generated base.
    return ToldServicer(database, clock)  # type: ignore[abstract]


@pytest.fixture
async def stub(serve: Serve, servicer: ToldServicer) -> pb_grpc.HealthServiceStub:
    return await serve_told(serve, servicer)
