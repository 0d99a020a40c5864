"""Probes and metrics, for whoever runs the edge."""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from steelyard_common.telemetry import Telemetry
from steelyard_edge import schemas
from steelyard_edge.answer import json_response
from steelyard_edge.backends import Backends

PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class OperationsRoutes:
    """Says how this process and the services behind it are."""

    def __init__(self, backends: Backends, telemetry: Telemetry) -> None:
        self._backends = backends
        self._telemetry = telemetry

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["operations"])
        router.add_api_route(
            "/healthz", self.healthz, responses={HTTPStatus.OK: {"model": schemas.Alive}}
        )
        router.add_api_route(
            "/readyz",
            self.readyz,
            responses={
                HTTPStatus.OK: {"model": schemas.Readiness, "description": "All services answer."},
                HTTPStatus.SERVICE_UNAVAILABLE: {
                    "model": schemas.Readiness,
                    "description": "Some do not; they are named.",
                },
            },
        )
        router.add_api_route(
            "/metrics",
            self.metrics,
            responses={HTTPStatus.OK: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
            response_class=Response,
        )
        return router

    async def healthz(self) -> Response:
        """Say that the process is up."""
        return json_response({"status": "ok"})

    async def readyz(self) -> Response:
        """Say whether every service behind the edge is ready, and name those that are not."""
        backends = self._backends.by_name
        serving = await asyncio.gather(*(backend.is_serving() for backend in backends.values()))
        services = dict(zip(backends, serving, strict=True))
        missing = [name for name, is_serving in services.items() if not is_serving]
        return json_response(
            {
                "status": "not ready" if missing else "ready",
                "services": {
                    name: "serving" if is_serving else "not serving"
                    for name, is_serving in services.items()
                },
                "missing": missing,
            },
            status=HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK,
        )

    async def metrics(self) -> Response:
        """Return the metrics of this process in Prometheus' text format."""
        return Response(self._telemetry.prometheus_text(), media_type=PROMETHEUS_TYPE)
