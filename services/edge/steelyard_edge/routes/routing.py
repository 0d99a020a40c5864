"""`/v1/route`: where a request is served best for the money."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from steelyard.router.v1.routing_service_pb2_grpc import RoutingServiceStub
from steelyard_edge import schemas
from steelyard_edge.answer import json_response
from steelyard_edge.backends import Backend
from steelyard_edge.documented import bare_answers, json_body
from steelyard_edge.inputs.route_body import RouteBody, to_route_request
from steelyard_edge.views.decision import decision


class RoutingRoutes:
    """Asks the router."""

    def __init__(self, routing: Backend[RoutingServiceStub]) -> None:
        self._routing = routing

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1", tags=["routing"])
        router.add_api_route(
            "/route",
            self.route,
            methods=["POST"],
            responses=bare_answers(schemas.Decision, "The decision.", 400, 404, 409, 413, 415, 422),
            openapi_extra=json_body(RouteBody),
        )
        return router

    async def route(self, request: Request) -> Response:
        """Decide where a chat request goes, without running it, and explain the decision."""
        # Read by hand: the hot path has no use for a generic parser in between.
        route_request = to_route_request(await request.body())
        answer = await self._routing.ask(self._routing.stub.Route, route_request)
        return json_response(decision(answer.decision))
