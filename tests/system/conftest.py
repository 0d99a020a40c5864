"""A running installation that reads the real feeds from a server on this machine."""

import asyncio
import functools
import http.server
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from steelyard.router.v1 import chat_pb2
from steelyard.router.v1 import routing_service_pb2_grpc as router_grpc
from steelyard.router.v1.routing_service_pb2 import RouteRequest
from tests.stack import Stack

SETTLE_SECONDS = 60
CALL_SECONDS = 20
# The router looks for new rate cards at most once a second.
SAME_IN_A_ROW = 8
LITELLM = "litellm/2026-10-21_v1.106.2.json"
OPENROUTER = "openrouter/models_2026-08-01.json"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


@pytest.fixture(scope="session")
def feed_server(real_data: Path) -> Iterator[str]:
    """Serve the folder of real feeds and return its root URL."""
    handler = functools.partial(_Quiet, directory=str(real_data))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
async def live(feed_server: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Run all five services on the real feeds; tests must leave them running."""
    feeds = {
        "STEELYARD_LITELLM_URL": f"{feed_server}/{LITELLM}",
        "STEELYARD_OPENROUTER_URL": f"{feed_server}/{OPENROUTER}",
    }
    async with Stack(tmp_path_factory.mktemp("live"), environment=feeds) as stack:
        await _until_settled(stack)
        yield stack


async def _until_settled(stack: Stack) -> None:
    """Return once every service has read the feeds and the router has heard of all of it."""
    router = router_grpc.RoutingServiceStub(stack.channel("router"))
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, text="hello")
    request = RouteRequest(request=chat_pb2.ChatRequest(messages=[message]))
    seen: list[tuple[object, ...]] = []
    async with asyncio.timeout(SETTLE_SECONDS):
        while len(seen) < SAME_IN_A_ROW or len(set(seen[-SAME_IN_A_ROW:])) > 1:
            decision = (await router.Route(request, timeout=CALL_SECONDS)).decision
            if not (decision.stale_prices or decision.stale_catalog):
                candidates = tuple(each.offer for each in decision.candidates)
                rejected = tuple(each.offer for each in decision.rejected)
                versions = decision.versions
                seen.append((versions.prices, versions.catalog, candidates, rejected))
            await asyncio.sleep(0.25)


@pytest.fixture
async def seeded(tmp_path: Path) -> AsyncIterator[Stack]:
    """Run all five services on the shipped catalogue, for tests that break them."""
    async with Stack(tmp_path) as stack:
        yield stack
