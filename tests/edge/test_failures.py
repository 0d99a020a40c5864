"""Errors of services and of the edge itself, as clients see them."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from steelyard.common.v1.error_reason_pb2 import ErrorReason
from steelyard_common.errors import (
    InvalidFieldError,
    OverloadedError,
    QuotaViolation,
    SteelyardError,
)
from steelyard_common.grpc_status import STATUSES
from tests.edge.conftest import RunningEdge, StartEdge
from tests.edge.fakes import a_price

ROUTE = "/v1/route"
HELLO = {"messages": [{"role": "user", "content": "hello"}]}
REASONS = sorted(STATUSES)


class ScriptedError(SteelyardError):
    """An error with any reason."""

    def __init__(self, reason: "ErrorReason.ValueType") -> None:
        super().__init__("as scripted", metadata={"about": "this"})
        self.reason = reason  # type: ignore[misc]


@pytest.mark.parametrize("number", REASONS, ids=ErrorReason.Name)
async def test_each_reason_has_its_http_status(
    edge: RunningEdge, number: "ErrorReason.ValueType"
) -> None:
    edge.pricing.error = ScriptedError(number)

    # Not through the contract: not every reason belongs to this route.
    response = await edge.client.get("/api/ai/pricing/model/x")

    assert response.status_code == STATUSES[number][1]
    error = response.json()["error"]
    assert error["reason"] == ErrorReason.Name(number)
    assert error["message"] == "as scripted"
    assert error["details"] == {"about": "this"}


async def test_a_field_that_a_service_refuses_is_named(edge: RunningEdge) -> None:
    edge.router.error = InvalidFieldError("policy.name", "must be one of balanced, cheap")

    response = await edge.post(ROUTE, json=HELLO)

    assert response.status_code == 422
    assert response.json()["error"]["details"] == {
        "fields": [{"field": "policy.name", "problem": "must be one of balanced, cheap"}]
    }


async def test_limits_that_were_hit_are_named(edge: RunningEdge) -> None:
    error = OverloadedError(timedelta(milliseconds=50))
    error.quota = (QuotaViolation("budget:bud_1", "9.99 of 10 USD spent"),)
    edge.pricing.error = error

    response = await edge.get("/api/ai/pricing/model/x")

    assert response.headers["retry-after"] == "1"
    assert response.json()["error"]["details"]["limits"] == [
        {"subject": "budget:bud_1", "problem": "9.99 of 10 USD spent"}
    ]


async def test_a_fault_of_a_service_tells_nothing(edge: RunningEdge) -> None:
    edge.router.error = RuntimeError("secret of the house")

    with capture_logs():
        response = await edge.post(ROUTE, json=HELLO)

    assert response.status_code == 500
    assert response.json()["error"]["reason"] == "ERROR_REASON_INTERNAL"
    assert "secret" not in response.text


async def test_a_fault_of_the_edge_itself_is_logged_and_tells_nothing(edge: RunningEdge) -> None:
    price = edge.pricing.prices["x"] = a_price()
    price.observed_time.seconds = 2**62  # no such date

    with capture_logs() as logged:
        response = await edge.get("/api/ai/pricing/model/x")

    assert response.status_code == 500
    error = response.json()["error"]
    assert (error["reason"], error["message"]) == ("ERROR_REASON_INTERNAL", "internal error")
    assert "Traceback" not in response.text
    assert [(each["event"], each["log_level"]) for each in logged] == [("request failed", "error")]
    assert isinstance(logged[0]["exc_info"], Exception)


@pytest.mark.parametrize(
    ("service", "method", "path", "reason"),
    [
        ("pricing", "GET", "/api/ai/pricing", "PRICING_UNAVAILABLE"),
        ("pricing", "POST", "/api/ai/pricing/refresh", "PRICING_UNAVAILABLE"),
        ("pricing", "GET", "/api/ai/pricing/model/x", "PRICING_UNAVAILABLE"),
        ("router", "POST", ROUTE, "ROUTER_UNAVAILABLE"),
    ],
)
async def test_a_service_that_is_down_is_503_and_named(
    start_edge: StartEdge, service: str, method: str, path: str, reason: str
) -> None:
    edge = await start_edge()
    await edge.servers[service].stop(0)

    response = await edge.ask(method, path, json=HELLO)

    assert response.status_code == 503
    assert response.json()["error"]["reason"] == f"ERROR_REASON_{reason}"
    assert "127.0.0.1" not in response.text


async def test_a_service_that_does_not_answer_in_time_is_504(start_edge: StartEdge) -> None:
    edge = await start_edge(default_deadline_seconds=0.2)
    edge.router.hold = asyncio.Event()

    response = await edge.post(ROUTE, json=HELLO)

    assert response.status_code == 504
    assert response.json()["error"]["reason"] == "ERROR_REASON_DEADLINE_EXCEEDED"


async def test_requests_beyond_the_limit_are_shed(start_edge: StartEdge) -> None:
    edge = await start_edge(max_concurrent_calls=2)
    edge.router.hold = asyncio.Event()
    held = [asyncio.create_task(edge.post(ROUTE, json=HELLO)) for _ in range(2)]
    await edge.router.wait_for_requests(2)

    refused = await edge.post(ROUTE, json=HELLO)
    alive = await edge.get("/healthz")
    edge.router.hold.set()

    assert refused.status_code == 503
    assert refused.json()["error"]["reason"] == "ERROR_REASON_OVERLOADED"
    assert refused.headers["retry-after"] == "1"
    assert alive.status_code == 200
    assert [response.status_code for response in await asyncio.gather(*held)] == [200, 200]


async def test_without_a_key_nothing_but_probes_is_open_when_auth_is_on(
    start_edge: StartEdge,
) -> None:
    edge = await start_edge(auth="on")

    refused = [await edge.post(ROUTE, json=HELLO), await edge.get("/api/ai/pricing")]

    assert [response.status_code for response in refused] == [401, 401]
    assert refused[0].json()["error"]["reason"] == "ERROR_REASON_UNAUTHENTICATED"
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert (await edge.client.get(path)).status_code == 200
    assert edge.router.requests == []
