"""`/api/byok`: who the caller's requests can go to, and whose key that takes."""

import asyncio
from collections.abc import Iterable, Mapping

from fastapi import APIRouter
from starlette.responses import Response

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.health.v1.health_pb2 import ProviderHealth
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.model_pb2 import Provider
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard.router.v1.key_service_pb2 import KeySource, ListProviderAccessRequest
from steelyard.router.v1.key_service_pb2_grpc import KeyServiceStub
from steelyard_common.clock import Clock
from steelyard_common.errors import (
    DeadlineExceededError,
    MethodNotImplementedError,
    RouterUnavailableError,
)
from steelyard_edge import schemas_provider as schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers
from steelyard_edge.failure import CallFailedError
from steelyard_edge.measured import MeasuredHealth
from steelyard_edge.strict_route import StrictRoute
from steelyard_edge.views.keyed import keyed_providers

BYOK_PREFIX = "/api/byok"
KEYS_SECONDS = 2.0
"""After that the list without keys is better than none."""

AWAY = frozenset(
    {
        reasons.ERROR_REASON_DEADLINE_EXCEEDED,
        reasons.ERROR_REASON_NOT_IMPLEMENTED,
        reasons.ERROR_REASON_OVERLOADED,
        reasons.ERROR_REASON_ROUTER_UNAVAILABLE,
    }
)
"""Reasons that mean the same for the caller as no answer at all; an older router knows no keys."""


class ByokRoutes:
    """Asks the registry, the health service and the router, which alone knows of keys."""

    def __init__(
        self,
        *,
        registry: Backend[RegistryServiceStub],
        health: Backend[HealthServiceStub],
        keys: Backend[KeyServiceStub],
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._measured = MeasuredHealth(health)
        self._keys = keys
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix=BYOK_PREFIX, tags=["byok"], route_class=StrictRoute)
        router.add_api_route(
            "/providers",
            self.providers,
            responses=answers(schemas.KeyedProviders, "The sellers, by id."),
        )
        return router

    async def providers(self) -> Response:
        """List all sellers: how they are, and whether the caller can be served by them."""
        registered, reported, sources = await asyncio.gather(
            self._registry.ask(
                self._registry.stub.ListProviders, pb.ListProvidersRequest(include_health=True)
            ),
            self._measured.reported(),
            self._sources(),
        )
        measured = None if reported is None else await self._all(reported, registered.providers)
        shown = keyed_providers(registered.providers, measured, sources)
        return enveloped(shown, now=self._clock.now())

    async def _all(
        self, reported: Mapping[str, ProviderHealth], registered: Iterable[Provider]
    ) -> Mapping[str, ProviderHealth]:
        """Return health with that of sellers that nobody has asked anything yet."""
        silent = [each.provider for each in registered if each.provider not in reported]
        return {**reported, **(await self._measured.of(silent))}

    async def _sources(self) -> "Mapping[str, KeySource.ValueType] | None":
        """Return whose key it would be, by provider; None when nobody answers."""
        try:
            answer = await self._keys.ask(
                self._keys.stub.ListProviderAccess,
                ListProviderAccessRequest(),
                timeout_seconds=KEYS_SECONDS,
            )
        except (RouterUnavailableError, DeadlineExceededError, MethodNotImplementedError):
            return None
        except CallFailedError as error:
            if error.failure.reason not in AWAY:
                raise
            return None
        return {each.provider: each.key_source for each in answer.providers}
