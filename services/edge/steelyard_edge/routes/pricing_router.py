"""What all routes below `/api/ai/pricing` have in common."""

from fastapi import APIRouter

from steelyard_edge.strict_route import StrictRoute

PRICING_PREFIX = "/api/ai/pricing"


def pricing_router() -> APIRouter:
    """Return a router without routes."""
    return APIRouter(prefix=PRICING_PREFIX, tags=["pricing"], route_class=StrictRoute)
