"""`/api/llm-registry`: who sells models, and how well they answer."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.model_pb2 import Provider
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.clock import Clock
from steelyard_common.errors import HealthUnavailableError, InvalidFieldError
from steelyard_edge import schemas_provider as schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers
from steelyard_edge.inputs.query import to_names
from steelyard_edge.measured import MeasuredHealth
from steelyard_edge.routes.registry_router import registry_router
from steelyard_edge.views import provider as views

Providers = Annotated[
    str | None,
    Query(description="Comma-separated; all by default.", examples=["openai,anthropic"]),
]
IncludeHealth = Annotated[bool, Query(description="Also how each is at present.")]
RoutableOnly = Annotated[bool, Query(description="Only those that Steelyard can send requests to.")]


class ProviderRoutes:
    """Asks the registry who there is, and the health service how they are."""

    def __init__(
        self,
        registry: Backend[RegistryServiceStub],
        health: Backend[HealthServiceStub],
        *,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._measured = MeasuredHealth(health)
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = registry_router()
        router.add_api_route(
            "/provider-health",
            self.provider_health,
            responses=answers(schemas.ProvidersHealth, "Figures by provider.", 422),
        )
        router.add_api_route(
            "/providers/list",
            self.providers,
            responses=answers(schemas.Providers, "The providers, by id.", 422),
        )
        return router

    async def providers(
        self, *, include_health: IncludeHealth = False, routable_only: RoutableOnly = False
    ) -> Response:
        """List all sellers."""
        answer = await self._registry.ask(
            self._registry.stub.ListProviders,
            pb.ListProvidersRequest(include_health=include_health, routable_only=routable_only),
        )
        return self._enveloped(views.providers(answer.providers))

    async def provider_health(self, providers: Providers = None) -> Response:
        """Tell how well sellers answer, also those that nobody has asked anything yet."""
        registered, reported = await asyncio.gather(self._registered(), self._measured.reported())
        known = {*registered, *(reported or {})}
        names = to_names(providers) or sorted(known)
        if unknown := [name for name in names if name not in known]:
            raise InvalidFieldError("providers", f"there is no provider {', '.join(unknown)}")
        if reported is not None:
            silent = [name for name in names if name not in reported]
            measured = {**reported, **(await self._measured.of(silent))}
        elif any(each.HasField("health") for each in registered.values()):
            measured = {}
        else:
            raise HealthUnavailableError
        now = self._clock.now()
        return enveloped(views.provider_health(names, registered, measured, now), now=now)

    async def _registered(self) -> Mapping[str, Provider]:
        answer = await self._registry.ask(
            self._registry.stub.ListProviders, pb.ListProvidersRequest(include_health=True)
        )
        return {each.provider: each for each in answer.providers}

    def _enveloped(self, data: Any) -> Response:
        return enveloped(data, now=self._clock.now())
