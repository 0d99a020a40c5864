"""The description of all routes, OpenAPI 3.1."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from steelyard_edge.documented import struct_schemas
from steelyard_edge.inputs.margin_body import MarginRuleBody
from steelyard_edge.inputs.override_body import OverrideBody
from steelyard_edge.inputs.reprice_body import RepriceBody
from steelyard_edge.inputs.route_body import RouteBody

STRUCTS = (RouteBody, OverrideBody, MarginRuleBody, RepriceBody)


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Return the document, with the bodies that FastAPI does not read itself."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    components = document.setdefault("components", {}).setdefault("schemas", {})
    # FastAPI's own shape of a 422, which this API never answers with.
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    components.update(struct_schemas(*STRUCTS))
    return document
