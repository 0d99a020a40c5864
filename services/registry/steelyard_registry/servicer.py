"""gRPC face of the registry."""

import asyncio
from dataclasses import dataclass

from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_common.clock import Clock
from steelyard_registry.domain.ports import EventStore
from steelyard_registry.domain.prices import Prices
from steelyard_registry.domain.publisher import Publisher
from steelyard_registry.messages.answers import ModelMessages
from steelyard_registry.rpcs.following import FollowCalls
from steelyard_registry.rpcs.queries import ProviderHealthReader, QueryCalls
from steelyard_registry.rpcs.stewardship import StewardCalls
from steelyard_registry.rpcs.syncs import SyncCalls, Syncers


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What changes the catalogue, and remembers it."""

    publisher: Publisher
    syncers: Syncers
    events: EventStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The services that some answers need."""

    health: ProviderHealthReader
    prices: Prices


class RegistryServicer(
    QueryCalls, FollowCalls, StewardCalls, SyncCalls, pb_grpc.RegistryServiceServicer
):
    """Answers from the catalogue of the moment."""

    def __init__(
        self, upkeep: Upkeep, neighbours: Neighbours, clock: Clock, draining: asyncio.Event
    ) -> None:
        """Keep what answers are made of.

        Args:
            upkeep: Has the catalogue.
            neighbours: Asked only when an answer needs them.
            clock: Decides which scores are stale.
            draining: When set, streams end.
        """
        self._live = upkeep.publisher.live
        self._publisher = upkeep.publisher
        self._syncers = upkeep.syncers
        self._events = upkeep.events
        self._health = neighbours.health
        self._prices = neighbours.prices
        self._clock = clock
        self._draining = draining
        self._messages = ModelMessages()
