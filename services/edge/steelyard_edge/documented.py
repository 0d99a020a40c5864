"""What OpenAPI says of answers and bodies that are written and read without FastAPI's models."""

from http import HTTPStatus
from typing import Any

import msgspec
from pydantic import BaseModel

from steelyard_edge import schemas

ALWAYS_POSSIBLE = (401, 429, 500, 503, 504)
REF_TEMPLATE = "#/components/schemas/{name}"

Responses = dict[int | str, dict[str, Any]]


def answers(data: type[BaseModel], description: str, *statuses: int) -> Responses:
    """Return the answers of an `/api` route: enveloped data, or an error of some statuses."""
    success = {"model": schemas.Envelope[data], "description": description}  # type: ignore[valid-type]
    return {HTTPStatus.OK: success, **_errors(schemas.ErrorEnvelope, statuses)}


def bare_answers(data: type[BaseModel], description: str, *statuses: int) -> Responses:
    """Return the answers of a route without envelope."""
    success = {"model": data, "description": description}
    return {HTTPStatus.OK: success, **_errors(schemas.BareError, statuses)}


def json_body(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the description of a body that msgspec reads."""
    schema = {"$ref": REF_TEMPLATE.format(name=struct.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def struct_schemas(*structs: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the component schemas that `json_body` refers to."""
    _, components = msgspec.json.schema_components(structs, ref_template=REF_TEMPLATE)
    return components


def _errors(model: type[BaseModel], statuses: tuple[int, ...]) -> Responses:
    return {
        status: {"model": model, "description": HTTPStatus(status).phrase}
        for status in sorted({*statuses, *ALWAYS_POSSIBLE})
    }
