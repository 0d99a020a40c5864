"""Everything that probes have to do with, made for one test."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import grpc

from steelyard.common.v1.cost_pb2 import CostBreakdown
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard_common.database import Database
from steelyard_common.leases import Leases
from steelyard_common.provider_probe_http import ProviderHttp
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.probe_calls import ProbeCalls
from steelyard_health.adapters.probe_keys import ProbeKeys
from steelyard_health.adapters.probe_meters import ProbeMeters
from steelyard_health.adapters.probe_prices import ProbePrices
from steelyard_health.adapters.probe_spend import ProbeSpend
from steelyard_health.adapters.prober import ProbeMeans, ProbePurse, Prober
from steelyard_health.domain.outcome import WINDOW_SECONDS, Outcome, Result, provider_of
from tests.fakes import FakeClock
from tests.health.probing.fake_providers import FakeProviders

KEY = "canary-51f0c0de7e57ab1e"
INTERVAL = 60.0
MICRODOLLAR = 1_000_000
PROBES_TO_CLOSE = 3

_permits = count()


class FakeSubjects:
    """Windows and half-open circuits, as a board keeps them; what is counted is callers alone."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._ends: dict[str, list[float]] = {}
        self.half_open: dict[str, str] = {}
        """Offers with the permit that is out, empty for none."""
        self.recorded: list[Outcome] = []
        self.was_told = asyncio.Event()
        """Set with each outcome of a probe."""
        self._good: dict[str, int] = {}

    def call(self, offer: str, times: int = 1) -> None:
        """Let callers report on an offer."""
        for _ in range(times):
            self._count(offer)
            self._count(provider_of(offer))

    def half_opens(self, *offers: str) -> None:
        self.half_open |= dict.fromkeys(offers, "")

    def sample_count(self, name: str) -> int:
        oldest = self._clock.monotonic() - WINDOW_SECONDS
        self._ends[name] = [end for end in self._ends.get(name, []) if end > oldest]
        return len(self._ends[name])

    def awaiting_probe(self) -> Sequence[str]:
        return [offer for offer, permit in self.half_open.items() if not permit]

    async def take_permit(self, offer: str) -> str | None:
        if self.half_open.get(offer) != "":
            return None
        self.half_open[offer] = f"permit_{next(_permits)}"
        return self.half_open[offer]

    async def record_probe(self, outcome: Outcome) -> None:
        self.recorded.append(outcome)
        self.was_told.set()
        if outcome.probe_permit and outcome.probe_permit == self.half_open.get(outcome.offer):
            self._settle(outcome)

    @property
    def results(self) -> list[tuple[str, Result]]:
        """What was recorded: of the provider for free probes, of the offer for paid ones."""
        return [
            (each.provider if each.is_provider_only else each.offer, each.result)
            for each in self.recorded
        ]

    def _settle(self, outcome: Outcome) -> None:
        self.half_open[outcome.offer] = ""
        if outcome.result is Result.SUCCESS:
            self._good[outcome.offer] = self._good.get(outcome.offer, 0) + 1
            if self._good[outcome.offer] == PROBES_TO_CLOSE:
                del self.half_open[outcome.offer]

    def _count(self, name: str) -> None:
        self._ends.setdefault(name, []).append(self._clock.monotonic())


class FakePricing(pricing_grpc.PricingServiceServicer):
    """Pricing that knows what the test says, and may be down."""

    def __init__(self) -> None:
        self.quotes: dict[str, pricing_pb.Quote] = {}
        self.asked: list[pricing_pb.QuoteRequest] = []
        self.is_down = False

    def price(self, offer: str, picodollars: int, **fields: Any) -> None:
        cost = CostBreakdown(total_picodollars=picodollars, input_picodollars=picodollars)
        self.quotes[offer] = pricing_pb.Quote(offer=offer, cost=cost, **fields)

    async def Quote(
        self, request: pricing_pb.QuoteRequest, context: Any
    ) -> pricing_pb.QuoteResponse:
        self.asked.append(request)
        if self.is_down:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        unpriced = pricing_pb.QUOTE_FAILURE_UNPRICED
        return pricing_pb.QuoteResponse(
            quotes=[
                self.quotes.get(offer) or pricing_pb.Quote(offer=offer, failure=unpriced)
                for offer in request.offers
            ]
        )


@dataclass(slots=True, kw_only=True)
class World:
    """What one replica's prober works with, and what several share."""

    clock: FakeClock
    telemetry: Telemetry
    providers: FakeProviders
    pricing: FakePricing
    channel: grpc.aio.Channel
    open_database: Callable[[], Any]
    resources: AsyncExitStack
    environment: dict[str, str] = field(default_factory=dict)
    _replicas: "count[int]" = field(default_factory=count)

    def subjects(self) -> FakeSubjects:
        return FakeSubjects(self.clock)

    async def prober(
        self,
        subjects: FakeSubjects,
        *,
        daily_picodollars: int | None = None,
        interval_seconds: float = INTERVAL,
        timeout_seconds: float = 5.0,
    ) -> Prober:
        """Return the prober of one more replica, with connections of its own.

        Args:
            subjects: Its board.
            daily_picodollars: Bound of paid probes; None makes free ones only.
            interval_seconds: Between probes.
            timeout_seconds: Of one call.
        """
        database: Database = await self.open_database()
        http = await self.resources.enter_async_context(ProviderHttp(total_seconds=timeout_seconds))
        purse = None
        if daily_picodollars is not None:
            purse = ProbePurse(
                prices=ProbePrices(self.channel),
                spend=ProbeSpend(database, self.clock),
                daily_picodollars=daily_picodollars,
            )
        means = ProbeMeans(
            subjects=subjects,
            providers=lambda: self.providers.providers,
            keys=ProbeKeys(self.environment),
            calls=ProbeCalls(http, self.clock),
            leases=Leases(database, self.clock, holder=f"replica-{next(self._replicas)}"),
            meters=ProbeMeters(self.telemetry.meter),
            clock=self.clock,
            purse=purse,
        )
        return Prober(means, interval_seconds=interval_seconds)
