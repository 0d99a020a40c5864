"""What every request passes: id, admission, body limits, the one translation of errors, metrics."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steelyard_common.clock import Clock
from steelyard_common.errors import OverloadedError, UnauthenticatedError
from steelyard_common.request_id import HEADER as REQUEST_ID_HEADER
from steelyard_common.request_id import accept_or_mint, set_current_request_id
from steelyard_common.telemetry import Telemetry
from steelyard_edge.answer import failed
from steelyard_edge.body import BodyLimits, read_body, replayed
from steelyard_edge.failure import Failure, describe, internal

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})
"""What needs no key: for probes and scrapers, and the description of the rest."""

SHED_RETRY_DELAY = timedelta(seconds=1)
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED_ROUTE = "unmatched"

logger = structlog.get_logger(__name__)

RecordRequest = Callable[[str, str, int, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Who may ask, and how much at a time."""

    body_limits: BodyLimits
    max_concurrent_requests: int
    """Requests beyond are refused with OVERLOADED."""
    is_auth_on: bool
    """Whether callers need a key. No key is known yet, so nobody has one."""


class Gate:
    """ASGI middleware around all routes; no exception of theirs leaves it."""

    def __init__(
        self, app: ASGIApp, *, admission: Admission, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._app = app
        self._admission = admission
        self._clock = clock
        self._record = _request_recorder(telemetry)
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        request_id = accept_or_mint(headers.get(REQUEST_ID_HEADER))
        set_current_request_id(request_id)
        answer = _Answer(send, request_id)
        self._running += 1
        try:
            self._admit(scope["path"])
            body = await read_body(headers, receive, self._admission.body_limits)
            await self._app(scope, replayed(body, receive), answer.send)
        except ClientDisconnect:
            answer.status = HTTPStatus.BAD_REQUEST
        except Exception as error:
            if answer.status is not None:
                raise
            failure = _explained(error, scope)
            response = failed(
                failure, path=scope["path"], request_id=request_id, now=self._clock.now()
            )
            await response(scope, receive, answer.send)
        finally:
            self._running -= 1
            elapsed = time.perf_counter() - started
            self._record(scope["method"], _route(scope), answer.status or 0, elapsed)

    def _admit(self, path: str) -> None:
        if path in OPEN_PATHS:
            return
        if self._admission.is_auth_on:
            raise UnauthenticatedError
        if self._running > self._admission.max_concurrent_requests:
            raise OverloadedError(SHED_RETRY_DELAY)


class _Answer:
    """Sends an answer with the request's id on it, and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[REQUEST_ID_HEADER] = self._request_id
        await self._send(message)


def _explained(error: Exception, scope: Scope) -> Failure:
    failure = describe(error)
    if failure is None:
        logger.error("request failed", path=scope["path"], exc_info=error)
        return internal()
    return failure


def _route(scope: Scope) -> str:
    """Return the route's template: a path as sent would make a time series each."""
    path: str = getattr(scope.get("route"), "path", UNMATCHED_ROUTE)
    return path


def _request_recorder(telemetry: Telemetry) -> RecordRequest:
    histogram = telemetry.meter.create_histogram(
        "http.server.request.duration", unit="s", description="Duration of served requests."
    )

    def record(method: str, route: str, status: int, seconds: float) -> None:
        attributes: dict[str, Any] = {
            "http.request.method": method if method in KNOWN_METHODS else "_OTHER",
            "http.route": route,
            "http.response.status_code": status,
        }
        histogram.record(seconds, attributes)

    return record
