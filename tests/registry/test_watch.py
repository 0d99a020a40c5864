"""Following the catalogue over gRPC, as routers do."""

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.grading import Grades
from steelyard_registry.domain.live import KEPT_EDITIONS, LiveCatalogue
from steelyard_registry.messages.parts import MODELS_PER_PART
from tests.registry.builders import catalogue_of, chat, read_update
from tests.registry.conftest import ServeCatalogue

SECONDS = 20
FIRST = {"gpt-4o": chat("openai"), "o1": chat("openai"), "gpt-4": chat("openai")}
SECOND = {
    "gpt-4o": chat("openai", supports_vision=True),
    "o1": chat("openai"),
    "o3": chat("openai"),
}
THIRD = SECOND | {"groq/llama-3.3-70b-versatile": chat("groq")}


def watch(stub: RegistryServiceStub, from_version: int = 0) -> Any:
    return stub.WatchCatalog(pb.WatchCatalogRequest(from_version=from_version), timeout=SECONDS)


def call_tasks() -> set[asyncio.Task[Any]]:
    """Return all tasks but the one in which the server waits for its next call."""
    return {
        task
        for task in asyncio.all_tasks()
        if "_request_registered_call" not in getattr(task.get_coro(), "__qualname__", "")
    }


@pytest.fixture
def live() -> LiveCatalogue:
    return LiveCatalogue(catalogue_of(FIRST, version=10))


async def test_the_whole_catalogue_comes_in_parts_that_end_with_its_version(
    seeded: RegistryServiceStub,
) -> None:
    call = watch(seeded)

    models, parts = await read_update(call)
    call.cancel()

    listed = await seeded.ListModels(
        pb.ListModelsRequest(filter=pb.ModelFilter(include_deprecated=True)), timeout=SECONDS
    )
    assert len(models) == sum(len(part.models) for part in parts) == listed.page_info.total_count
    assert max(len(part.models) for part in parts) == MODELS_PER_PART
    assert [part.snapshot_start for part in parts] == [True] + [False] * (len(parts) - 1)
    assert [part.catalog_version for part in parts[:-1]] == [0] * (len(parts) - 1)
    assert parts[-1].catalog_version == listed.catalog_version
    assert len(parts[-1].providers) > 100
    assert models["gpt-4o"].offers[0].offer == "openai/gpt-4o"


async def test_each_change_follows_as_it_happens(
    serve_catalogue: ServeCatalogue, live: LiveCatalogue
) -> None:
    call = watch(await serve_catalogue(live))
    await read_update(call)

    live.publish(catalogue_of(SECOND, version=11, previous=live.current))
    changed, parts = await read_update(call)
    live.publish(catalogue_of(THIRD, version=12, previous=live.current))
    added, later = await read_update(call)
    call.cancel()

    assert list(changed) == ["gpt-4o", "o3"]
    assert list(parts[0].removed_models) == ["gpt-4"]
    assert not parts[0].snapshot_start
    assert parts[-1].catalog_version == 11
    assert not parts[-1].providers
    assert list(added) == ["llama-3.3-70b-instruct"]
    assert [each.provider for each in later[-1].providers] == ["groq", "openai"]


async def test_who_names_the_version_it_has_gets_only_what_came_after(
    serve_catalogue: ServeCatalogue, live: LiveCatalogue
) -> None:
    stub = await serve_catalogue(live)
    live.publish(catalogue_of(SECOND, version=11, previous=live.current))

    call = watch(stub, from_version=10)
    models, parts = await read_update(call)
    call.cancel()

    assert list(models) == ["gpt-4o", "o3"]
    assert not parts[0].snapshot_start


async def test_who_is_up_to_date_hears_so_at_once(
    serve_catalogue: ServeCatalogue, live: LiveCatalogue
) -> None:
    call = watch(await serve_catalogue(live), from_version=10)

    models, parts = await read_update(call)
    call.cancel()

    assert models == {}
    assert [(part.catalog_version, part.snapshot_complete) for part in parts] == [(10, True)]


@pytest.mark.parametrize("version", [9, 11, -5, 2**62])
async def test_who_names_an_unknown_version_starts_over(
    serve_catalogue: ServeCatalogue, live: LiveCatalogue, version: int
) -> None:
    call = watch(await serve_catalogue(live), from_version=version)

    models, parts = await read_update(call)
    call.cancel()

    assert set(models) == set(FIRST)
    assert parts[0].snapshot_start


async def test_a_watcher_that_reads_nothing_holds_up_nobody(
    serve_catalogue: ServeCatalogue, live: LiveCatalogue
) -> None:
    stub = await serve_catalogue(live)
    idle, keen = watch(stub), watch(stub)
    await read_update(keen)

    seen = []
    for version in range(11, 11 + 2 * KEPT_EDITIONS):
        models = FIRST | {f"gpt-{version}": chat("openai")}
        live.publish(catalogue_of(models, version=version, previous=live.current))
        _, parts = await read_update(keen)
        seen.append(parts[-1].catalog_version)
    copy: dict[str, object] = {}
    reached = 0
    while reached < seen[-1]:
        models_read, parts = await read_update(idle)
        if parts[0].snapshot_start:
            copy = {}
        for removed in parts[0].removed_models:
            copy.pop(removed)
        copy |= models_read
        reached = parts[-1].catalog_version
    idle.cancel()
    keen.cancel()

    assert seen == list(range(11, 11 + 2 * KEPT_EDITIONS))
    assert set(copy) == set(live.current.edition.models)


async def test_watchers_that_go_away_leave_nothing_behind(
    serve_catalogue: ServeCatalogue, live: LiveCatalogue
) -> None:
    stub = await serve_catalogue(live)
    await stub.GetModel(pb.GetModelRequest(model="o1"), timeout=SECONDS)
    before = call_tasks()

    calls = [watch(stub) for _ in range(20)]
    for call in calls:
        await read_update(call)
    started = call_tasks() - before
    for call in calls:
        call.cancel()
        assert await call.code() is grpc.StatusCode.CANCELLED
    _, left = await asyncio.wait(started, timeout=SECONDS)

    assert len(started) >= 20
    assert left == set()


async def test_streams_end_when_the_server_drains(
    serve_catalogue: ServeCatalogue, live: LiveCatalogue
) -> None:
    draining = asyncio.Event()
    call = watch(await serve_catalogue(live, draining=draining))
    await read_update(call)

    draining.set()

    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_staleness_is_told_even_when_no_model_changed(
    serve_catalogue: ServeCatalogue,
) -> None:
    fresh = catalogue_of(FIRST, version=10)
    live = LiveCatalogue(fresh)
    call = watch(await serve_catalogue(live))
    _, before = await read_update(call)

    live.publish(
        Catalogue(
            Facts(offers=()), replace(fresh.edition, version=11, is_stale=True), Grades({}, ())
        )
    )
    models, after = await read_update(call)
    call.cancel()

    assert not before[-1].stale
    assert models == {}
    assert after[-1].stale
