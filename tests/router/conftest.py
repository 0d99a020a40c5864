"""Fixtures of the router's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.router.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Return a router between well-behaved fakes."""
    async with World(tmp_path) as world:
        yield world
