"""Wires the edge: settings in, an HTTP server on the channels to the services out."""

import functools
import importlib.metadata
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import ClassVar, Self

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import PositiveFloat, model_validator
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from steelyard_common.address import Address
from steelyard_common.clock import Clock, SystemClock
from steelyard_common.lifecycle import Service
from steelyard_common.settings import AddressSetting, ServiceSettings
from steelyard_common.telemetry import Telemetry
from steelyard_edge.answer import json_response
from steelyard_edge.backends import BackendAddresses, Backends, open_backends
from steelyard_edge.body import BodyLimits
from steelyard_edge.gate import Admission, Gate
from steelyard_edge.http_server import HttpServer
from steelyard_edge.openapi import describe_api
from steelyard_edge.routes.byok import ByokRoutes
from steelyard_edge.routes.health import HealthRoutes
from steelyard_edge.routes.models import ModelRoutes
from steelyard_edge.routes.negotiation import NegotiationRoutes
from steelyard_edge.routes.operations import OperationsRoutes
from steelyard_edge.routes.price_comparison import PriceComparisonRoutes
from steelyard_edge.routes.price_history import PriceHistoryRoutes
from steelyard_edge.routes.pricing import PricingRoutes
from steelyard_edge.routes.providers import ProviderRoutes
from steelyard_edge.routes.quarantine import QuarantineRoutes
from steelyard_edge.routes.registry import RegistryRoutes
from steelyard_edge.routes.routing import RoutingRoutes

NAME = "edge"
DESCRIPTION = "Cost-aware LLM routing: price, health and quality weighed on every request."


class Settings(ServiceSettings):
    """Environment of the edge."""

    listener: ClassVar[str] = "edge_address"

    edge_address: AddressSetting = Address("127.0.0.1", 8000)
    """Where the edge listens; `host:port`."""

    pricing_address: AddressSetting = Address("127.0.0.1", 50051)
    """Where the pricing service is dialled."""

    registry_address: AddressSetting = Address("127.0.0.1", 50052)
    """Where the registry is dialled."""

    health_address: AddressSetting = Address("127.0.0.1", 50053)
    """Where the health service is dialled."""

    router_address: AddressSetting = Address("127.0.0.1", 50054)
    """Where the router is dialled."""

    body_seconds: PositiveFloat = 15.0
    """How long the body of a request may take to arrive."""

    refresh_timeout_seconds: PositiveFloat = 120.0
    """How long a refresh of prices, or a sync of models or quality, may take."""

    @property
    def backend_addresses(self) -> BackendAddresses:
        """Where the services are dialled."""
        return BackendAddresses(
            pricing=self.pricing_address,
            registry=self.registry_address,
            health=self.health_address,
            router=self.router_address,
        )

    @model_validator(mode="after")
    def _listens_on_a_port(self) -> Self:
        if self.edge_address.unix_path is not None:
            raise ValueError("STEELYARD_EDGE_ADDRESS: must be host:port or [ipv6]:port")
        return self


async def build(settings: Settings, *, clock: Clock | None = None) -> Service:
    """Return a service ready to run."""
    clock = clock or SystemClock()
    resources = AsyncExitStack()
    telemetry = Telemetry.start(NAME)
    resources.callback(telemetry.close)
    backends = await open_backends(
        settings.backend_addresses,
        telemetry=telemetry,
        timeout_seconds=settings.default_deadline_seconds,
        resources=resources,
    )
    app = build_app(settings, backends=backends, telemetry=telemetry, clock=clock)
    return Service(
        name=NAME,
        server=HttpServer(settings.listen_address, app),
        resources=resources,
        drain_seconds=settings.drain_seconds,
        clock=clock,
    )


def build_app(
    settings: Settings, *, backends: Backends, telemetry: Telemetry, clock: Clock
) -> FastAPI:
    """Return all routes with the gate before them."""
    app = FastAPI(
        title="Steelyard",
        version=importlib.metadata.version("steelyard"),
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    pricing = PricingRoutes(
        backends.pricing, clock=clock, refresh_timeout_seconds=settings.refresh_timeout_seconds
    )
    app.include_router(OperationsRoutes(backends, telemetry).router())
    app.include_router(RoutingRoutes(backends.router).router())
    app.include_router(pricing.router())
    for group in (PriceComparisonRoutes, PriceHistoryRoutes, QuarantineRoutes, NegotiationRoutes):
        app.include_router(group(backends.pricing, clock=clock).router())
    registry = RegistryRoutes(
        backends.registry, clock=clock, sync_timeout_seconds=settings.refresh_timeout_seconds
    )
    app.include_router(registry.router())
    app.include_router(ProviderRoutes(backends.registry, backends.health, clock=clock).router())
    app.include_router(HealthRoutes(backends.health, clock=clock).router())
    app.include_router(ModelRoutes(backends.registry, clock=clock).router())
    byok = ByokRoutes(
        registry=backends.registry, health=backends.health, keys=backends.keys, clock=clock
    )
    app.include_router(byok.router())
    app.add_route("/openapi.json", _description(app), include_in_schema=False)
    # The gate translates every error, those of the framework too.
    app.add_exception_handler(HTTPException, _pass_on)
    app.add_exception_handler(RequestValidationError, _pass_on)
    app.add_middleware(
        Gate,
        admission=Admission(
            body_limits=BodyLimits(seconds=settings.body_seconds),
            max_concurrent_requests=settings.max_concurrent_calls,
            is_auth_on=settings.is_auth_on,
        ),
        clock=clock,
        telemetry=telemetry,
    )
    return app


def _description(app: FastAPI) -> Callable[[Request], Awaitable[Response]]:
    described = functools.cache(lambda: describe_api(app))

    async def openapi(_: Request) -> Response:
        return json_response(described())

    return openapi


async def _pass_on(_: Request, error: Exception) -> Response:
    raise error
