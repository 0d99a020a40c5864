"""A running installation that reads the real feeds from a server on this machine."""

import functools
import http.server
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.stack import Stack

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
        yield stack


@pytest.fixture
async def seeded(tmp_path: Path) -> AsyncIterator[Stack]:
    """Run all five services on the shipped catalogue, for tests that break them."""
    async with Stack(tmp_path) as stack:
        yield stack
