"""Fixtures that every test directory may use."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import grpc
import pytest
import structlog
from _pytest.nodeid import NodeId

from steelyard_common.address import Address
from steelyard_common.call_limits import CallLimits
from steelyard_common.server import Server
from steelyard_common.telemetry import Telemetry
from steelyard_common.tenant import Authenticator
from tests.fakes import FakeClock

pytest_plugins = ["tests.valkey"]

REAL_DATA_VARIABLE = "STEELYARD_TEST_DATA"
LOOPBACK = Address("127.0.0.1", 0)


class Serve(Protocol):
    """Serves a servicer on a free port, as in production, and returns a channel to it."""

    async def __call__(
        self,
        register: Callable[[Any, grpc.aio.Server], None],
        servicer: object,
        *,
        authenticator: Authenticator | None = None,
        limits: CallLimits | None = None,
    ) -> grpc.aio.Channel:
        """Return a channel to the served servicer."""


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("STEELYARD_", "OTEL_"))]:
            if name != REAL_DATA_VARIABLE:
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True, scope="session")
def _plain_tracebacks() -> None:
    # Without a service's own settings, tracebacks come with all local variables: of a refresh those
    # are thousands of prices, which takes most of a minute to print.
    *processors, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors, renderer])


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Return metrics of this test alone."""
    telemetry = Telemetry.start("test")
    yield telemetry
    telemetry.close()


@pytest.fixture
async def serve(telemetry: Telemetry) -> AsyncIterator[Serve]:
    """Return a function that serves a servicer and returns a channel to it."""
    async with AsyncExitStack() as stack:

        async def start(
            register: Callable[[Any, grpc.aio.Server], None],
            servicer: object,
            *,
            authenticator: Authenticator | None = None,
            limits: CallLimits | None = None,
        ) -> grpc.aio.Channel:
            server = Server(
                LOOPBACK, telemetry=telemetry, authenticator=authenticator, limits=limits
            )
            server.add(register, servicer)
            await server.start()
            stack.push_async_callback(server.stop, 0)
            await server.set_serving(serving=True)
            return await stack.enter_async_context(
                grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")
            )

        yield start


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a group on one worker, so that what they share is made once.

    pytest-xdist 3.8 notes the group where pytest 9.2 no longer looks; the scheduler reads the id.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if group is not None:
            item._id = NodeId.parse(f"{item.nodeid}@{group.args[0]}")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real feeds: STEELYARD_TEST_DATA, or `../shared/data` by the checkout."""
    named = os.environ.get(REAL_DATA_VARIABLE)
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real feeds: {folder} is missing, set {REAL_DATA_VARIABLE}")
    return folder
