"""What OpenAPI says of answers and bodies that are written and read without FastAPI's models."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from pydantic import BaseModel

from steelyard_edge import schemas

ALWAYS_POSSIBLE = (401, 429, 500, 503, 504)
REF_TEMPLATE = "#/components/schemas/{name}"

Responses = dict[int | str, dict[str, Any]]


def answers(
    data: type[BaseModel], description: str, *statuses: int, success_status: int = HTTPStatus.OK
) -> Responses:
    """Return the answers of an `/api` route: enveloped data, or an error of some statuses."""
    success = {"model": schemas.Envelope[data], "description": description}  # type: ignore[valid-type]
    return {success_status: success, **_errors(schemas.ErrorEnvelope, statuses)}


def bare_answers(data: type[BaseModel], description: str, *statuses: int) -> Responses:
    """Return the answers of a route without envelope."""
    success = {"model": data, "description": description}
    return {HTTPStatus.OK: success, **_errors(schemas.BareError, statuses)}


def json_body(
    struct: type[msgspec.Struct], *, example: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the description of a body that msgspec reads."""
    content: dict[str, Any] = {"schema": {"$ref": REF_TEMPLATE.format(name=struct.__name__)}}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def struct_schemas(*structs: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the component schemas that `json_body` refers to."""
    _, components = msgspec.json.schema_components(structs, ref_template=REF_TEMPLATE)
    described: dict[str, Any] = _with_numbers(components)
    return described


def _with_numbers(schema: Any) -> Any:
    """Return a schema that says of decimals that they may be numbers, which msgspec leaves out."""
    match schema:
        case {"format": "decimal"}:
            return {**schema, "type": ["number", "string"]}
        case dict():
            return {name: _with_numbers(part) for name, part in schema.items()}
        case list():
            return [_with_numbers(part) for part in schema]
        case _:
            return schema


def _errors(model: type[BaseModel], statuses: tuple[int, ...]) -> Responses:
    return {
        status: {"model": model, "description": HTTPStatus(status).phrase}
        for status in sorted({*statuses, *ALWAYS_POSSIBLE})
    }
