"""Health: asked for each request; what was last heard counts when there is no answer."""

import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1 import health_service_pb2_grpc as pb_grpc
from steelyard_common.clock import Clock
from steelyard_router.adapters.dependency import Dependency
from steelyard_router.adapters.gather import Gatherer
from steelyard_router.adapters.permit_wallet import PermitWallet
from steelyard_router.domain.health import UNKNOWN, Condition, OfferHealth, is_wait_over
from steelyard_router.ports import Ask, HealthReport

MAX_GATHERED: Final = 100
"""Offers that health takes in one call."""
MAX_REMEMBERED = 5_000
MEMORY_SECONDS = 30.0
"""What was heard longer ago than this no longer keeps an offer from being asked about."""
OVERVIEW_SECONDS = 1.0

_STATES: Final = MappingProxyType(
    {
        health_pb2.HEALTH_STATE_RATE_LIMITED: Condition.RATE_LIMITED,
        health_pb2.HEALTH_STATE_MAINTENANCE: Condition.MAINTENANCE,
    }
)
_CIRCUITS: Final = MappingProxyType(
    {
        health_pb2.CIRCUIT_STATE_OPEN: Condition.CIRCUIT_OPEN,
        health_pb2.CIRCUIT_STATE_HALF_OPEN: Condition.HALF_OPEN,
    }
)


class _Memory(NamedTuple):
    health: OfferHealth
    heard: float


class _CheckBatch:
    """One CheckOffers for all offers that anybody asks about; the answer is read once, for all."""

    def __init__(
        self,
        stub: pb_grpc.HealthServiceStub,
        read: Callable[[pb.CheckOffersResponse], HealthReport],
    ) -> None:
        self._stub = stub
        self._read = read
        self._offers: dict[str, None] = {}
        self._report: HealthReport | None = None

    def add(self, question: Sequence[str]) -> bool:
        more = dict.fromkeys(offer for offer in question if offer not in self._offers)
        if self._offers and len(self._offers) + len(more) > MAX_GATHERED:
            return False
        self._offers.update(more)
        return True

    def start(self, timeout_seconds: float) -> Awaitable[Any]:
        request = pb.CheckOffersRequest(offers=self._offers)
        return self._stub.CheckOffers(request, timeout=timeout_seconds)

    def read(self, position: int, response: pb.CheckOffersResponse) -> HealthReport | None:
        del position
        if self._report is None:
            self._report = self._read(response)
        return self._report


class HealthClient:
    """Asks health, and remembers.

    One answer serves many requests, but a permit to probe is for one of them: permits go into a
    wallet, from which each is taken once.
    """

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._stub = pb_grpc.HealthServiceStub(channel)
        self._clock = clock
        self._dependency = Dependency("health")
        self._memory: OrderedDict[str, _Memory] = OrderedDict()
        self._permits = PermitWallet(clock)
        self._overview: Mapping[str, OfferHealth] = {}
        self._overview_made = float("-inf")
        self.version = 0
        self.gatherer: Gatherer[Sequence[str], HealthReport] = Gatherer(
            self._dependency, lambda: _CheckBatch(self._stub, self._read)
        )

    def last_known(self, offer: str) -> OfferHealth:
        memory = self._memory.get(offer)
        return memory.health if memory is not None else UNKNOWN

    def overview(self) -> Mapping[str, OfferHealth]:
        """Return what is out of the ordinary, rounded; looked at anew at most once a second."""
        now = self._clock.monotonic()
        if now - self._overview_made >= OVERVIEW_SECONDS:
            self._overview_made = now
            wall = self._clock.now()
            present = {
                offer: _rounded(memory.health)
                for offer, memory in self._memory.items()
                if now - memory.heard <= MEMORY_SECONDS
                and memory.health != UNKNOWN
                # Only who is asked about gets the permit to probe.
                and not is_wait_over(memory.health, wall)
            }
            if present != self._overview:
                self._overview = present
        return self._overview

    def ask(self, offers: Sequence[str], timeout_seconds: float) -> Ask[HealthReport]:
        return self.gatherer.ask(offers, timeout_seconds)

    def holds_permit(self, offer: str) -> bool:
        return self._permits.holds(offer)

    def take_permit(self, offer: str) -> str:
        return self._permits.take(offer)

    def _read(self, response: pb.CheckOffersResponse) -> HealthReport:
        now = self._clock.monotonic()
        by_offer = {each.offer: _offer_health(each) for each in response.offers}
        self._note_permits(response)
        for offer, health in by_offer.items():
            self._memory[offer] = _Memory(health, now)
            self._memory.move_to_end(offer)
        while len(self._memory) > MAX_REMEMBERED:
            self._memory.popitem(last=False)
        self.version = response.health_version
        return HealthReport(by_offer, response.health_version)

    def _note_permits(self, response: pb.CheckOffersResponse) -> None:
        for each in response.offers:
            if each.probe_permit:
                self._permits.put(each.offer, each.probe_permit)
            elif self._permits and each.circuit != health_pb2.CIRCUIT_STATE_HALF_OPEN:
                self._permits.discard(each.offer)


def _offer_health(message: health_pb2.OfferHealth) -> OfferHealth:
    condition = _condition(message)
    share, factor = _traffic_share(message), _status_factor(message)
    is_plain = condition is Condition.OPEN_TO_REQUESTS and share == factor == 1.0
    if not message.sample_count and is_plain:
        return UNKNOWN
    speed = message.output_tokens_per_second_p50
    # A half-open circuit has no end to wait for: that of the open one is over.
    waits = message.HasField("retry_time") and condition is not Condition.HALF_OPEN
    return OfferHealth(
        score=_share(message.score),
        success_rate=_share(message.success_rate),
        condition=condition,
        retry_time=_utc(message.retry_time) if waits else None,
        latency_seconds=_seconds(message.latency_p50) if message.HasField("latency_p50") else None,
        first_token_seconds=(
            _seconds(message.time_to_first_token_p50)
            if message.HasField("time_to_first_token_p50")
            else None
        ),
        tokens_per_second=speed if speed > 0 else None,
        traffic_share=share,
        status_factor=factor,
    )


def _condition(message: health_pb2.OfferHealth) -> Condition:
    """Return whether requests may be sent; a state that keeps them away wins over the circuit."""
    known = _STATES.get(message.state)
    if known is not None:
        return known
    return _CIRCUITS.get(message.circuit, Condition.OPEN_TO_REQUESTS)


def _traffic_share(message: health_pb2.OfferHealth) -> float:
    """Return the share of its traffic that an offer with a closed circuit may get.

    0 comes from a health service that does not know of it.
    """
    share = message.traffic_share
    return share if message.circuit not in _CIRCUITS and 0.0 < share < 1.0 else 1.0


def _status_factor(message: health_pb2.OfferHealth) -> float:
    """Return what the status page makes of the score; 0 comes from an older health service."""
    return message.status_factor if 0.0 < message.status_factor < 1.0 else 1.0


def _utc(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)


def _share(value: float) -> float:
    """Return a number from 0 to 1; what is none at all counts as 0."""
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0


def _seconds(duration: Duration) -> float:
    return max(0.0, duration.seconds + duration.nanos * 1e-9)


def _rounded(health: OfferHealth) -> OfferHealth:
    """Return about the same health, so that small changes do not make all rankings anew.

    Without status pages, for they count in half of the decisions only.
    """
    return health._replace(
        score=round(health.measured_score, 1),
        status_factor=1.0,
        success_rate=round(health.success_rate, 1),
        latency_seconds=_coarse(health.latency_seconds),
        first_token_seconds=_coarse(health.first_token_seconds),
        tokens_per_second=_coarse(health.tokens_per_second),
        traffic_share=1.0,
    )


def _coarse(value: float | None) -> float | None:
    """Return the nearest power of the square root of two."""
    if value is None or not 0 < value < math.inf:
        return value
    return math.exp2(round(2 * math.log2(value)) / 2)
