"""The registry's job on real feeds in a running installation: by command, over REST, in routing."""

import asyncio
import gzip
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from steelyard.router.v1 import chat_pb2, decision_pb2
from steelyard.router.v1 import routing_service_pb2 as router_pb
from steelyard.router.v1.routing_service_pb2_grpc import RoutingServiceStub
from tests.stack import SERVICES, Stack

pytestmark = [
    pytest.mark.faults,
    pytest.mark.system,
    pytest.mark.real_data,
    pytest.mark.xdist_group("system"),
]

CALL_SECONDS = 20
SYNC_SECONDS = 60
MAP = "litellm/2026-10-21_v1.106.2.json"
OPENROUTER = "openrouter/models_2026-08-01.json"
MODELS_DEV = "models_dev/api_2026-04-21.json.gz"
ARENA = "lmarena/leaderboard-text_2025-12-11.json.gz"
REGISTRY = "/api/llm-registry"


@pytest.fixture
async def stack(real_data: Path, tmp_path: Path) -> AsyncIterator[Stack]:
    """Run all services on files; the map of models is a copy that tests may replace."""
    feeds = {"LITELLM": tmp_path / "map.json", "OPENROUTER": real_data / OPENROUTER}
    shutil.copyfile(real_data / MAP, feeds["LITELLM"])
    for name, packed in (("MODELS_DEV", MODELS_DEV), ("ARENA", ARENA)):
        feeds[name] = tmp_path / Path(packed).stem
        feeds[name].write_bytes(gzip.decompress((real_data / packed).read_bytes()))
    environment = {f"STEELYARD_{name}_URL": path.as_uri() for name, path in feeds.items()}
    async with Stack(tmp_path / "data", environment=environment) as running:
        yield running


async def command(stack: Stack, *arguments: str) -> Any:
    """Return what `steelyard` prints as JSON."""
    addresses = {f"STEELYARD_{name.upper()}_ADDRESS": stack.address(name) for name in SERVICES} | {
        "STEELYARD_CALL_SECONDS": str(SYNC_SECONDS)
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "steelyard_cli", *arguments, "--json"),
        env={**os.environ, **addresses},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def rest(stack: Stack, method: str, path: str, **query: Any) -> Any:
    """Return the data of an answer of the edge."""
    async with httpx.AsyncClient(base_url=stack.url, trust_env=False) as client:
        answer = await client.request(
            method, f"{REGISTRY}{path}", params=query, timeout=SYNC_SECONDS
        )
    assert answer.is_success, answer.text
    return answer.json()["data"]


async def until_answered(stack: Stack) -> None:
    """Return once the edge has found the registry again."""
    async with asyncio.timeout(CALL_SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while not (await client.get(f"{stack.url}{REGISTRY}/status")).is_success:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def decision(stack: Stack) -> decision_pb2.Decision:
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, text="hello")
    request = router_pb.RouteRequest(request=chat_pb2.ChatRequest(messages=[message]))
    stub = RoutingServiceStub(stack.channel("router"))
    return (await stub.Route(request, timeout=CALL_SECONDS)).decision


async def decision_when(
    stack: Stack, is_expected: Callable[[decision_pb2.Decision], bool]
) -> decision_pb2.Decision:
    """Route until a decision is as expected; every call on the way has to be answered."""
    async with asyncio.timeout(CALL_SECONDS):
        while True:
            made = await decision(stack)
            if is_expected(made):
                return made
            await asyncio.sleep(0.05)


def change_map(path: Path) -> None:
    """Give one model another window."""
    entries = json.loads(path.read_bytes())
    entries["gpt-4o-mini"]["max_input_tokens"] -= 1
    path.write_text(json.dumps(entries))


async def test_models_and_scores_are_read_shown_and_routed_by(stack: Stack, tmp_path: Path) -> None:
    models = await command(stack, "sync", "models", "--force")
    quality = await rest(stack, "POST", "/sync-quality", source="lmsys", force="true")

    assert not models["models"]["errors"], models
    (arena,) = (each for each in quality["result"]["sources"] if each["source"] == "arena")
    assert arena["edition_date"] == "2025-12-11"

    ranked = await rest(stack, "GET", "/models/by-quality", min_quality=85, task="coding")
    found = await command(stack, "models", "gpt", "4o", "mini")
    scores = await command(stack, "quality", "gpt-4o-mini")
    searched = await rest(stack, "GET", "/models/search", query="gpt 4o mini")
    assert ranked["models"]
    assert "gpt-4o-mini" in [each["model"] for each in found["models"]]
    assert "gpt-4o-mini" in [each["model"] for each in searched["models"]]
    assert "arena" in {each["source"] for each in scores["scores"]}
    assert scores["quality"]["basis"] == "measured"

    version = (await rest(stack, "GET", "/status"))["catalog_version"]
    before = await decision_when(stack, lambda made: made.versions.catalog == version)
    assert not before.stale_catalog

    await stack.kill("registry")
    dead = await decision_when(stack, lambda made: made.stale_catalog)
    change_map(tmp_path / "map.json")
    await stack.start("registry")
    await command(stack, "sync", "models", "--force")
    await until_answered(stack)
    version = (await rest(stack, "GET", "/status"))["catalog_version"]
    after = await decision_when(stack, lambda made: made.versions.catalog == version)

    assert dead.versions.catalog == before.versions.catalog
    assert dead.chosen.offer
    assert after.versions.catalog > before.versions.catalog
    assert not after.stale_catalog
