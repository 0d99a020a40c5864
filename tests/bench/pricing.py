"""Pricing in our own Python time: quotes, look-ups, parsing and memory; no socket."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import grpc
import psutil

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.clock import SystemClock
from steelyard_common.tenant import ANONYMOUS, set_current_tenant
from steelyard_pricing.adapters.litellm_prices import parse_litellm
from steelyard_pricing.adapters.seed_prices import read_seed_facts
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.comparison import SEED
from steelyard_pricing.domain.modes import Mode
from steelyard_pricing.domain.negotiations import Negotiations
from steelyard_pricing.domain.snapshot import ObservedFact, Snapshot, SourceFacts
from steelyard_pricing.servicer import PricingServicer

NOW = datetime(2026, 11, 2, tzinfo=UTC)
OFFER_COUNT = 32
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


def quote_rows(catalogue: Catalogue, *, rounds: int) -> list[str]:
    """Return what a quote costs on the servicer's own path, and a look-up."""
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

    return [
        f"Quote, {OFFER_COUNT} offers: {asyncio.run(quotes()):>6.0f} us",
        lookup_row("offer id", chat[0], snapshot, rounds=rounds),
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
    resident = psutil.Process().memory_info().rss / 2**20
    return [*rows, f"resident memory with two snapshots built: {resident:.0f} MiB"]


def main(*, short: bool) -> None:
    """Print figures; CPU time, because other processes share the machine."""
    for row in run(short=short):
        print(row)
