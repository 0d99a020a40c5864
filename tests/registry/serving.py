"""Servicers made for one test."""

import asyncio
from collections.abc import Mapping

from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_common.clock import Clock
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.domain.providers import ProviderHealth
from steelyard_registry.messages.answers import ModelMessages
from steelyard_registry.rpcs.following import FollowCalls
from steelyard_registry.rpcs.queries import NoPrices, QueryCalls
from steelyard_registry.servicer import Neighbours, RegistryServicer
from tests.fakes import FakeClock
from tests.registry.keeping import Keeping


class FakeHealth:
    """Health that the test sets; None means no answer."""

    def __init__(self, known: Mapping[str, ProviderHealth] | None = None) -> None:
        self.known = known

    async def provider_health(self, timeout: float) -> Mapping[str, ProviderHealth] | None:  # noqa: ASYNC109
        assert 0 < timeout <= 0.1
        return self.known


class CatalogueServicer(QueryCalls, FollowCalls, pb_grpc.RegistryServiceServicer):
    """What is asked of a catalogue and nothing else."""

    def __init__(
        self, live: LiveCatalogue, neighbours: Neighbours, draining: asyncio.Event
    ) -> None:
        self._live = live
        self._health = neighbours.health
        self._prices = neighbours.prices
        self._draining = draining
        self._clock = FakeClock()
        self._messages = ModelMessages()


def servicer_of(kept: Keeping, clock: Clock) -> RegistryServicer:
    """Return a servicer of what keeps a catalogue, without prices."""
    neighbours = Neighbours(health=FakeHealth(), prices=NoPrices())
    return RegistryServicer(kept.upkeep, neighbours, clock, asyncio.Event())
