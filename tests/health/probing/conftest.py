"""A world of providers for tests of probes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard_common.database import Database
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.schema import MIGRATIONS
from tests.conftest import Serve
from tests.fakes import FakeClock
from tests.health.probing.fake_providers import FakeProviders
from tests.health.probing.world import KEY, FakePricing, FakeSubjects, World


@pytest.fixture
async def world(
    clock: FakeClock, telemetry: Telemetry, serve: Serve, tmp_path: Path
) -> AsyncIterator[World]:
    """Return a world with the provider `acme`, for which there is a key."""
    async with AsyncExitStack() as resources:

        async def open_database() -> Database:
            database = await Database.open("health", data_dir=tmp_path, migrations=MIGRATIONS)
            resources.push_async_callback(database.close)
            return database

        pricing = FakePricing()  # type: ignore[abstract]
        providers = await resources.enter_async_context(FakeProviders())
        providers.add("acme")
        yield World(
            clock=clock,
            telemetry=telemetry,
            providers=providers,
            pricing=pricing,
            channel=await serve(pricing_grpc.add_PricingServiceServicer_to_server, pricing),
            open_database=open_database,
            resources=resources,
            environment={"ACME_API_KEY": KEY},
        )


@pytest.fixture
def subjects(world: World) -> FakeSubjects:
    return world.subjects()
