"""The registry as a process: how fast it knows all models, what it weighs, how fast it answers."""

import asyncio
import gzip
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import cycle
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
from tests.conftest import REAL_DATA_VARIABLE
from tests.stack import Stack

CALL_SECONDS = 10.0
WATCHERS = 16
SYNC_SECONDS = 60.0
POLL_SECONDS = 0.1
DATA = Path(os.environ.get(REAL_DATA_VARIABLE, Path(__file__).parents[3] / "shared" / "data"))
FEEDS = {"litellm": "20*.json", "openrouter": "models_*.json", "models_dev": "api_*.json.gz"}

# As people type them: ids, ids without separators, parts, makers, sizes, words that find nothing.
QUERIES = tuple(
    """
    gpt 4o|gpt 4o mini|gpt4o-mini|gpt4o|gpt-4.1 nano|gpt-5|gpt|openai|o1|o3 mini|o4-mini|chatgpt
    claude sonnet 4.5|claude-4.5-sonnet|claude-sonnet-4-5-20250929|sonnet|opus|haiku 3.5|claude
    anthropic|anthropic/claude-sonnet-4.5|gemini 2.5 flash|gemini flash 2.5|gemini-2.5-pro
    google gemini|gemma 3 27b|llama 3.3 70b|llama3.3|llama-3.1-405b|meta llama|mistral large
    mixtral 8x7b|codestral|mistral|qwen3 coder|qwen 2.5 72b|qwq|deepseek r1|deepseek v3
    deepseek-chat|kimi k2|glm 4.6|grok 4|grok-4 fast|xai|command r+|embedding|titan
    text-embedding-3-small|text embedding 3 large|whisper|dall-e 3|tts|rerank|gpt-oss 120b
    gpt-oss:20b|phi 4|nova pro|mini|70b
    """.strip()
    .replace("\n", "|")
    .split("|")
)


def main(*, short: bool) -> None:
    """Print the figures of the catalogue in this process, then of a service of its own."""
    build_catalogue(rounds=3 if short else 10)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure_service(calls=100 if short else 1000))
        runner.run(measure_search(rounds=2 if short else 20))


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


async def measure_search(*, rounds: int) -> None:
    """Search a service that has read the real feeds, where they are at hand."""
    with tempfile.TemporaryDirectory() as temporary:
        urls = feeds(Path(temporary))
        async with Stack(Path(temporary), environment=urls, services=("registry",)) as stack:
            stub = pb_grpc.RegistryServiceStub(stack.channel("registry"))
            offers = await read_feeds(stub) if urls else await offer_count(stub)
            plain = [pb.SearchModelsRequest(query=query.strip()) for query in QUERIES]
            filtered = pb.ModelFilter(
                capabilities=[model_traits_pb2.CAPABILITY_TOOLS], routable_only=True
            )
            within = [pb.SearchModelsRequest(query=it.query, filter=filtered) for it in plain]
            print(f"{len(plain)} searches of {offers} offers")
            for name, requests in (("words alone", plain), ("words and filter", within)):
                questions = cycle(requests)
                await report(
                    name,
                    lambda questions=questions: stub.SearchModels(  # type: ignore[misc]
                        next(questions), timeout=CALL_SECONDS
                    ),
                    rounds * len(requests),
                )


def feeds(directory: Path) -> dict[str, str]:
    """Return settings that name the newest real catalogues; compressed ones go to a directory."""
    found: dict[str, str] = {}
    for folder, pattern in FEEDS.items():
        newest = max((DATA / folder).glob(pattern), default=None)
        if newest is not None and newest.suffix == ".gz":
            unpacked = directory / newest.stem
            unpacked.write_bytes(gzip.decompress(newest.read_bytes()))
            newest = unpacked
        if newest is not None:
            found[f"STEELYARD_{folder.upper()}_URL"] = newest.as_uri()
    return found


async def read_feeds(stub: pb_grpc.RegistryServiceStub) -> int:
    """Wait until the catalogue is that of the feeds and no longer the seed; return its offers."""
    shipped = len(seed_facts()[0].offers)
    async with asyncio.timeout(SYNC_SECONDS):
        while True:
            offers = await offer_count(stub)
            if offers != shipped:
                return offers
            await asyncio.sleep(POLL_SECONDS)


async def offer_count(stub: pb_grpc.RegistryServiceStub) -> int:
    """Return how many offers the catalogue has."""
    answer = await stub.ListProviders(pb.ListProvidersRequest(), timeout=CALL_SECONDS)
    return sum(each.offer_count for each in answer.providers)


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
