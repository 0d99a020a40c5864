"""Probes, metrics, request ids, the description, and many requests at once."""

import asyncio
import socket

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from steelyard_common.address import Address
from steelyard_common.server import AddressInUseError
from steelyard_edge.app import Settings, build
from steelyard_edge.http_server import listening_socket
from tests.edge.conftest import RunningEdge, StartEdge

ROUTE = "/v1/route"
HELLO = {"messages": [{"role": "user", "content": "hello"}]}


async def test_the_description_is_valid_openapi_3_1(edge: RunningEdge) -> None:
    document = edge.contract.document

    assert document["openapi"].startswith("3.1")
    validate(document, cls=OpenAPIV31SpecValidator)


async def test_the_description_has_every_route_with_its_errors(edge: RunningEdge) -> None:
    document = edge.contract.document

    assert set(document["paths"]) == {
        "/healthz", "/readyz", "/metrics", "/v1/route", "/api/ai/pricing",
        "/api/ai/pricing/refresh", "/api/ai/pricing/model/{model}",
        "/api/ai/pricing/provider/{provider}", "/api/ai/pricing/estimate",
        "/api/ai/pricing/cheapest", "/api/ai/pricing/compare",
        "/api/ai/pricing/cache-policy/{model}", "/api/ai/pricing/deprecations",
        "/api/ai/pricing/changes", "/api/ai/pricing/disagreements",
        "/api/ai/pricing/snapshots", "/api/ai/pricing/rollback", "/api/ai/pricing/reprice",
        "/api/ai/pricing/quarantine", "/api/ai/pricing/quarantine/{held_change_id}/review",
        "/api/ai/pricing/overrides", "/api/ai/pricing/overrides/{override_id}",
        "/api/ai/pricing/margins", "/api/ai/pricing/margins/report",
        "/api/llm-registry/models", "/api/llm-registry/models/by-quality",
        "/api/llm-registry/models/search", "/api/llm-registry/models/{model}",
        "/api/llm-registry/models/{model}/quality", "/api/llm-registry/frontier",
        "/api/llm-registry/tier-bands", "/api/llm-registry/provider-health",
        "/api/llm-registry/providers/list", "/api/llm-registry/sync-models",
        "/api/llm-registry/sync-quality", "/api/llm-registry/status",
        "/api/llm-registry/unjoined", "/api/llm-registry/events",
        "/api/llm-registry/provider-health/{provider}",
        "/api/llm-registry/provider-health/{provider}/reset",
        "/api/llm-registry/provider-health/{provider}/maintenance",
        "/api/llm-registry/incidents", "/api/llm-registry/health-alerts", "/api/byok/providers",
    }  # fmt: skip
    route = document["paths"][ROUTE]["post"]
    assert {"200", "400", "404", "409", "413", "415", "422", "500", "503", "504"} <= set(
        route["responses"]
    )
    body = route["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/RouteBody"}
    properties = document["components"]["schemas"]["RouteBody"]["properties"]
    assert {"messages", "model", "tools", "policy"} <= set(properties)


async def test_examples_of_bodies_are_as_described(edge: RunningEdge) -> None:
    document = edge.contract.document
    bodies = [
        operation["requestBody"]["content"]["application/json"]
        for path in document["paths"].values()
        for operation in path.values()
        if "requestBody" in operation
    ]
    examples = [(body["schema"], body["example"]) for body in bodies if "example" in body]

    for schema, example in examples:
        whole = {**schema, "components": document["components"]}
        OAS31Validator(whole, format_checker=oas31_format_checker).validate(example)

    assert len(examples) == 4


async def test_a_live_process_says_so(edge: RunningEdge) -> None:
    assert (await edge.get("/healthz")).json() == {"status": "ok"}


async def test_ready_means_that_every_service_answers(edge: RunningEdge) -> None:
    response = await edge.get("/readyz")

    assert response.status_code == 200
    assert response.json()["missing"] == []


async def test_services_that_are_away_or_not_serving_are_named(start_edge: StartEdge) -> None:
    edge = await start_edge()
    await edge.servers["registry"].stop(0)
    await edge.servers["health"].set_serving(serving=False)

    response = await edge.get("/readyz")

    assert response.status_code == 503
    assert response.json()["missing"] == ["registry", "health"]
    assert response.json()["services"]["pricing"] == "serving"
    assert (await edge.get("/healthz")).status_code == 200


async def test_metrics_count_by_route_template(edge: RunningEdge) -> None:
    await edge.get("/api/ai/pricing/model/a/b")
    await edge.get("/no-such-route-17")

    text = (await edge.get("/metrics")).text

    template = 'http_route="/api/ai/pricing/model/{model:path}"'
    assert template in text
    assert 'http_response_status_code="404",http_route="unmatched"' in text
    assert "no-such-route-17" not in text


@pytest.mark.parametrize("path", ["/healthz", "/nope", "/api/ai/pricing/model/unknown", "/metrics"])
async def test_a_sane_request_id_comes_back_on_every_answer(edge: RunningEdge, path: str) -> None:
    response = await edge.get(path, headers={"x-request-id": "trace-17"})

    assert response.headers["x-request-id"] == "trace-17"


async def test_a_request_id_reaches_the_services_and_the_error(edge: RunningEdge) -> None:
    response = await edge.get("/api/ai/pricing/model/unknown", headers={"x-request-id": "trace-18"})

    assert edge.pricing.request_ids == ["trace-18"]
    assert response.json()["error"]["request_id"] == "trace-18"


@pytest.mark.parametrize("bad", ["a b", "x" * 200, "", "{}", "-x"])
async def test_a_request_id_that_could_forge_a_log_line_is_replaced(
    edge: RunningEdge, bad: str
) -> None:
    response = await edge.get("/healthz", headers={"x-request-id": bad})

    assert response.headers["x-request-id"].startswith("req_")


async def test_nothing_else_from_the_client_reaches_the_services(edge: RunningEdge) -> None:
    response = await edge.post(
        ROUTE,
        json=HELLO,
        headers={
            "x-steelyard-tenant": "other",
            "x-steelyard-internal": "1",
            "x-forwarded-for": "10.0.0.1",
            "x-request-id": "trace-19",
        },
    )

    assert response.status_code == 200
    sent = dict(edge.router.metadata[-1])
    assert sent.pop("x-request-id") == "trace-19"
    assert not [key for key in sent if key.startswith("x-")]


async def test_many_requests_at_once_keep_their_ids_apart(edge: RunningEdge) -> None:
    ids = [f"load-{number}" for number in range(200)]

    responses = await asyncio.gather(
        *(edge.post(ROUTE, json=HELLO, headers={"x-request-id": each}) for each in ids)
    )

    assert [response.headers["x-request-id"] for response in responses] == ids
    assert {response.status_code for response in responses} == {200}
    assert sorted(filter(None, edge.router.request_ids)) == sorted(ids)


async def test_a_request_in_flight_is_finished_before_the_edge_stops(start_edge: StartEdge) -> None:
    edge = await start_edge()
    edge.router.hold = asyncio.Event()
    in_flight = asyncio.create_task(edge.post(ROUTE, json=HELLO))
    await edge.router.wait_for_requests(1)

    stopping = asyncio.create_task(edge.server.stop(10))
    await asyncio.sleep(0)
    edge.router.hold.set()

    assert (await in_flight).status_code == 200
    await stopping


async def test_a_taken_port_is_an_error_that_names_it(edge: RunningEdge) -> None:
    address = Address("127.0.0.1", edge.port)
    second = await build(Settings(edge_address=address))

    async with second.resources:
        with pytest.raises(AddressInUseError, match=f"127.0.0.1:{edge.port}"):
            await second.server.start()


def test_the_listener_lets_event_loops_switch_nagle_off() -> None:
    with listening_socket(Address("127.0.0.1", 0)) as listener:
        # Both of Python's loops look at the protocol before they set TCP_NODELAY.
        assert listener.proto == socket.IPPROTO_TCP
