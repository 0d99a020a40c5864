"""What all routes below `/api/llm-registry` have in common."""

from fastapi import APIRouter

from steelyard_edge.strict_route import StrictRoute

REGISTRY_PREFIX = "/api/llm-registry"


def registry_router() -> APIRouter:
    """Return a router without routes."""
    return APIRouter(prefix=REGISTRY_PREFIX, tags=["registry"], route_class=StrictRoute)
