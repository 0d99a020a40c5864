"""The registry as a process: how fast it knows all models, what it weighs, how fast it answers."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import uvloop

from steelyard.common.v1 import model_traits_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_registry.adapters.curated_scores import read_curated_scores
from steelyard_registry.adapters.provider_table import read_providers
from steelyard_registry.adapters.sources import seed_facts
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.facts import Facts
from tests.stack import Stack

CALL_SECONDS = 10.0
WATCHERS = 16


def main(*, short: bool) -> None:
    """Print the figures of the catalogue in this process, then of a service of its own."""
    build_catalogue(rounds=3 if short else 10)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure_service(calls=100 if short else 1000))


def build_catalogue(*, rounds: int) -> None:
    """Read, join and index the bundled catalogue."""
    reading, indexing = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        seed, _ = seed_facts()
        read = time.perf_counter()
        facts = Facts(
            offers=seed.offers,
            source_keys=seed.source_keys,
            evidence=read_curated_scores(),
            providers=read_providers(),
        )
        today = datetime.now(UTC).date()
        catalogue = Catalogue.build(facts, version=1, today=today, is_stale=False)
        reading.append(read - start)
        indexing.append(time.perf_counter() - read)
    print(
        f"{len(seed.offers)} offers of {len(catalogue.edition.models)} models: "
        f"read {statistics.median(reading):.2f} s, joined and indexed "
        f"{statistics.median(indexing):.2f} s"
    )


async def measure_service(*, calls: int) -> None:
    """Ask a running service what routers and people ask."""
    with tempfile.TemporaryDirectory() as temporary:
        start = time.perf_counter()
        async with Stack(Path(temporary), services=("registry",)) as stack:
            print(f"ready after {time.perf_counter() - start:.2f} s")
            stub = pb_grpc.RegistryServiceStub(stack.channel("registry"))
            process = psutil.Process(stack.pid("registry"))
            print(f"resident {process.memory_info().rss / 1e6:.0f} MB at rest")
            await snapshots(stub)
            capabilities = [model_traits_pb2.CAPABILITY_TOOLS, model_traits_pb2.CAPABILITY_VISION]
            questions: dict[str, Callable[[], Awaitable[object]]] = {
                "GetModel": lambda: stub.GetModel(
                    pb.GetModelRequest(model="claude-sonnet-4.5"), timeout=CALL_SECONDS
                ),
                "GetModel, unknown": lambda: unknown(stub),
                "ListModels, 50": lambda: stub.ListModels(
                    pb.ListModelsRequest(order_by="quality desc"), timeout=CALL_SECONDS
                ),
                "SearchModels": lambda: stub.SearchModels(
                    pb.SearchModelsRequest(query="claude sonnet"), timeout=CALL_SECONDS
                ),
                "ListModelsByQuality": lambda: stub.ListModelsByQuality(
                    pb.ListModelsByQualityRequest(capabilities=capabilities, limit=10),
                    timeout=CALL_SECONDS,
                ),
            }
            for name, ask in questions.items():
                await report(name, ask, calls)
            print(f"resident {process.memory_info().rss / 1e6:.0f} MB after all that")


async def report(name: str, ask: Callable[[], Awaitable[object]], calls: int) -> None:
    """Print percentiles of one question, asked one after the other."""
    latencies = []
    for _ in range(calls):
        start = time.perf_counter()
        await ask()
        latencies.append(time.perf_counter() - start)
    percentiles = statistics.quantiles(latencies, n=100)
    print(f"{name:<20} p50 {percentiles[49] * 1e3:6.2f} ms, p95 {percentiles[94] * 1e3:6.2f} ms")


async def unknown(stub: pb_grpc.RegistryServiceStub) -> None:
    """Ask for a model that does not exist."""
    call = stub.GetModel(pb.GetModelRequest(model="claude-sonett-4.5"), timeout=CALL_SECONDS)
    await call.code()


async def snapshots(stub: pb_grpc.RegistryServiceStub) -> None:
    """Print how long one watcher, and many at once, wait for the whole catalogue."""
    for watchers in (1, WATCHERS):
        start = time.perf_counter()
        sizes = await asyncio.gather(*(snapshot(stub) for _ in range(watchers)))
        seconds = time.perf_counter() - start
        print(f"snapshot of {sizes[0] / 1e6:.1f} MB for {watchers:>2} watchers: {seconds:.2f} s")


async def snapshot(stub: pb_grpc.RegistryServiceStub) -> int:
    """Return the bytes of a whole catalogue."""
    size = 0
    call = stub.WatchCatalog(pb.WatchCatalogRequest(), timeout=CALL_SECONDS)
    async for part in call:
        size += part.ByteSize()
        if part.snapshot_complete:
            break
    call.cancel()
    return size
