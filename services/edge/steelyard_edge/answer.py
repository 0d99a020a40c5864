"""How answers look on the wire: the envelope of `/api`, bare JSON elsewhere."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from steelyard_common.request_id import HEADER as REQUEST_ID_HEADER
from steelyard_edge.failure import Failure

MEDIA_TYPE = "application/json"
OPENAI_PREFIX = "/v1/"
_OPTIONS = orjson.OPT_UTC_Z


def json_response(content: Any, *, status: int = HTTPStatus.OK) -> Response:
    """Return bare JSON; orjson.Fragment values are written as they are."""
    body = orjson.dumps(content, option=_OPTIONS)
    return Response(body, status_code=status, media_type=MEDIA_TYPE)


def enveloped(
    data: Any, *, now: datetime, message: str = "", status: int = HTTPStatus.OK
) -> Response:
    """Return the envelope of a success."""
    return json_response(
        {"success": True, "data": data, "error": None, "message": message, "timestamp": now},
        status=status,
    )


def failed(failure: Failure, *, path: str, request_id: str, now: datetime) -> Response:
    """Return a failure in the shape of the route that was asked for."""
    error = {
        "reason": failure.reason,
        "message": failure.message,
        "request_id": request_id,
        "details": failure.details,
    }
    content: dict[str, Any] = {"error": error}
    if not path.startswith(OPENAI_PREFIX):
        content = {"success": False, "data": None, "message": failure.message, "timestamp": now}
        content["error"] = error
    response = json_response(content, status=failure.status)
    response.headers.update(failure.headers)
    response.headers[REQUEST_ID_HEADER] = request_id
    return response
