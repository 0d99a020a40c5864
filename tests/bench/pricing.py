"""Pricing in our own Python time: quotes, look-ups, parsing and memory; no socket."""

import asyncio
import gc
import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, cast

import grpc
import psutil

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc
from steelyard_common.address import Address
from steelyard_common.clock import SystemClock
from steelyard_common.tenant import ANONYMOUS, set_current_tenant
from steelyard_pricing.adapters.fact_text import FactReader, write_fact
from steelyard_pricing.adapters.litellm_prices import parse_litellm
from steelyard_pricing.adapters.seed_prices import read_seed_facts
from steelyard_pricing.app import Settings, Surroundings, build
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.comparison import SEED
from steelyard_pricing.domain.modes import Mode
from steelyard_pricing.domain.negotiations import Negotiations
from steelyard_pricing.domain.snapshot import ObservedFact, Snapshot, SourceFacts
from steelyard_pricing.servicer import PricingServicer
from tests.fakes import FakeClock

NOW = datetime(2026, 11, 2, tzinfo=UTC)
OFFER_COUNT = 32
READ = (datetime(2026, 8, 9, tzinfo=UTC), datetime(2026, 10, 21, tzinfo=UTC))
FEW, MANY = 4_500, 50_000
OPENROUTER = "models_2026-08-01.json"
CONTEXT = cast("grpc.aio.ServicerContext[pb.QuoteRequest, pb.QuoteResponse]", None)
DATA = Path(os.environ.get("STEELYARD_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
LITELLM = DATA / "litellm" / "2026-10-21_v1.106.2.json"


def best_micros(call: Callable[[], object], *, rounds: int, calls: int) -> float:
    """Return the CPU time of one call in the least disturbed of several rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(calls):
            call()
        best = min(best, time.process_time() - started)
    return best / calls * 1e6


def catalogue_of(facts: SourceFacts) -> Catalogue:
    """Return a catalogue that serves one source."""
    return Catalogue(
        sources=(),
        time_to_live=timedelta(days=1),
        snapshot=Snapshot.compile([facts], version=1, published_time=NOW),
        facts={SEED: facts},
        copies={},
    )


def quote_micros(catalogue: Catalogue, *, rounds: int) -> float:
    """Return what a quote of 32 offers costs on the servicer's own path."""
    snapshot = catalogue.snapshot
    # Quotes ask nobody else, and the caller has negotiated nothing.
    unused: Any = None
    negotiations = Negotiations(unused)
    servicer = PricingServicer(
        catalogue,
        unused,
        SystemClock(),
        negotiations=negotiations,
        margins=unused,
        archive=unused,
    )
    set_current_tenant(ANONYMOUS)
    chat = [listing.offer for listing in snapshot.of_mode(Mode.CHAT) if listing.card is not None]
    request = pb.QuoteRequest(
        usage=Usage(
            uncached_input_token_count=1500, cache_read_token_count=2048, output_token_count=500
        ),
        offers=chat[:: len(chat) // OFFER_COUNT][:OFFER_COUNT],
    )

    async def quotes() -> float:
        best = float("inf")
        for _ in range(rounds):
            started = time.process_time()
            for _ in range(500):
                await servicer.Quote(request, CONTEXT)
            best = min(best, time.process_time() - started)
        return best / 500 * 1e6

    return asyncio.run(quotes())


def quote_rows(catalogue: Catalogue, *, rounds: int) -> list[str]:
    """Return what a quote and a look-up cost."""
    snapshot = catalogue.snapshot
    return [
        f"Quote, {OFFER_COUNT} offers: {quote_micros(catalogue, rounds=rounds):>6.0f} us",
        lookup_row("offer id", snapshot.offers[0], snapshot, rounds=rounds),
        lookup_row("model name", "gpt-4o", snapshot, rounds=rounds),
        lookup_row("miss", "openai/no-such-model", snapshot, rounds=rounds),
    ]


def lookup_row(label: str, name: str, snapshot: Snapshot, *, rounds: int) -> str:
    micros = best_micros(lambda: snapshot.find(name), rounds=rounds, calls=5000)
    return f"look-up, {label}: {micros:.2f} us"


def parse_rows(*, rounds: int) -> list[str]:
    """Return what it takes to turn the largest real map into a snapshot."""
    if not LITELLM.is_file():
        return [f"parsing: no real map at {LITELLM}"]
    body = LITELLM.read_bytes()
    now = SystemClock().now()

    def parse_and_index() -> None:
        parsed = parse_litellm(body)
        observed = tuple(ObservedFact(fact, now) for fact in parsed.facts)
        Snapshot.compile(
            [SourceFacts("litellm", observed, parsed.entry_count)], version=1, published_time=now
        )

    seconds = best_micros(parse_and_index, rounds=rounds, calls=1) / 1e6
    return [f"{len(body):,} bytes parsed and indexed: {seconds:.2f} s"]


def copied(facts: SourceFacts, count: int) -> SourceFacts:
    """Return so many offers: the real ones again and again, at sellers of other names."""
    copies: list[ObservedFact] = []
    for number in range(-(-count // len(facts.facts))):
        for each in facts.facts[: count - len(copies)]:
            name = each.fact.name
            provider = f"{name.provider}{number}"
            own = replace(name, offer=f"{provider}/{name.provider_model}", provider=provider)
            copies.append(ObservedFact(replace(each.fact, name=own), each.observed_time))
    return SourceFacts(facts.source, tuple(copies), len(copies))


def scale_rows(facts: SourceFacts, *, rounds: int) -> list[str]:
    """Return what ten times as many offers cost a quote, by side-by-side rounds."""
    small = catalogue_of(copied(facts, FEW))
    large = catalogue_of(copied(facts, MANY))
    ratios = [quote_micros(large, rounds=2) / quote_micros(small, rounds=2) for _ in range(rounds)]
    return [
        f"Quote at {MANY:,} offers over {FEW:,}: {median(ratios):.2f} (asked: <= 1.2)",
    ]


def memory_row(facts: SourceFacts) -> str:
    """Return what facts take that were loaded from the database, with their indexes."""
    texts = [write_fact(each.fact) for each in facts.facts]
    gc.collect()
    tracemalloc.start()
    reader = FactReader()
    loaded = tuple(ObservedFact(reader.read(text), NOW) for text in texts)
    catalogue = catalogue_of(SourceFacts(facts.source, loaded, len(loaded)))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    per_fact = taken / len(catalogue.snapshot.listings)
    return f"memory per 10,000 facts that are served: {per_fact * 10_000 / 2**20:.0f} MiB"


async def refreshed(directory: Path) -> tuple[float, float]:
    """Return the seconds of a first refresh of both real feeds, and of one that changes prices."""
    maps = [DATA / "litellm" / name for name in ("2026-08-09_v1.92.2.json", LITELLM.name)]
    lists = [DATA / "openrouter" / name for name in ("models_2026-07-17.json", OPENROUTER)]
    feeds = [directory / "map.json", directory / "list.json"]
    settings = Settings(
        data_dir=directory / "data",
        pricing_address=Address("127.0.0.1", 0),
        litellm_url=feeds[0].as_uri(),
        openrouter_url=feeds[1].as_uri(),
        models_dev_url="",
    )
    clock = FakeClock(READ[0])
    service = await build(settings, Surroundings(clock=clock))
    seconds: list[float] = []
    async with service.resources:
        await service.server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{service.server.port}") as channel:
            stub = pricing_service_pb2_grpc.PricingServiceStub(channel)
            for day, *bodies in zip(READ, maps, lists, strict=True):
                # Between the editions lie months, and the gate knows it.
                await clock.advance((day - clock.now()).total_seconds())
                for feed, body in zip(feeds, bodies, strict=True):
                    feed.write_bytes(body.read_bytes())
                started = time.perf_counter()
                async for _ in stub.RefreshPrices(pb.RefreshPricesRequest(force=True), timeout=60):
                    pass
                seconds.append(time.perf_counter() - started)
        await service.server.stop(0)
    return seconds[0], seconds[1]


def refresh_rows() -> list[str]:
    """Return how long a refresh takes, diff, gate and database included."""
    if not LITELLM.is_file():
        return []
    with tempfile.TemporaryDirectory() as directory:
        first, second = asyncio.run(refreshed(Path(directory)))
    return [
        f"refresh, first: {first:.1f} s, with 2,800 changes: {second:.1f} s (asked: < 5)",
    ]


def run(*, short: bool) -> list[str]:
    """Return the printed rows."""
    rounds = 2 if short else 7
    facts, _ = read_seed_facts()
    catalogue = catalogue_of(facts)
    rows = [
        f"{len(catalogue.snapshot.listings):,} offers, {catalogue.snapshot.priced_count:,} priced"
    ]
    rows += quote_rows(catalogue, rounds=rounds)
    rows += parse_rows(rounds=rounds)
    rows += refresh_rows()
    resident = psutil.Process().memory_info().rss / 2**20
    rows.append(f"resident memory with two snapshots built: {resident:.0f} MiB")
    rows += scale_rows(facts, rounds=rounds)
    return [*rows, memory_row(facts)]


def main(*, short: bool) -> None:
    """Print figures; CPU time, because other processes share the machine."""
    for row in run(short=short):
        print(row)
