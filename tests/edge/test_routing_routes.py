"""Where a request goes, over REST."""

import base64
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from steelyard.common.v1.model_traits_pb2 import CAPABILITY_VISION
from steelyard.router.v1 import chat_pb2, decision_pb2
from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_common.errors import NoEligibleOfferError, NoHealthyOfferError
from tests.edge.conftest import RunningEdge, exact
from tests.edge.fakes import GPT_4O

ROUTE = "/v1/route"
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
PNG = base64.b64encode(b"\x89PNG").decode()


async def test_a_decision_has_exactly_the_documented_fields(edge: RunningEdge) -> None:
    decision = exact(await edge.post(ROUTE, json=HELLO))

    assert list(decision) == [
        "decision_id", "offer", "model", "provider", "tier", "complexity_score",
        "expected_cost_usd", "expected_cost_p90_usd", "breakdown", "quality", "health",
        "key_present", "fallbacks", "candidates", "rejected", "stale_prices", "stale_health",
        "versions", "probe_permit", "panic", "reason",
    ]  # fmt: skip
    assert decision["offer"] == GPT_4O
    assert decision["tier"] == "versatile"
    assert decision["expected_cost_usd"] == Decimal("0.0075")
    assert decision["expected_cost_p90_usd"] == Decimal("0.015")
    assert decision["breakdown"]["output_usd"] == Decimal("0.0075")
    assert decision["versions"] == {"prices": 3, "catalog": 4, "health": 5, "policy": "v1"}
    assert (decision["stale_prices"], decision["stale_health"]) == (False, True)
    assert decision["key_present"] is False
    assert decision["rejected"] == [
        {
            "offer": "mistral/ministral-3b",
            "reason": "quality_too_low",
            "detail": "quality 61 is below 86",
        }
    ]


async def test_a_probe_shows_its_permit_and_a_panic_says_so(edge: RunningEdge) -> None:
    usual = (await edge.post(ROUTE, json=HELLO)).json()
    edge.router.decision.probe_permit = "permit_1"
    edge.router.decision.panic = True

    decision = (await edge.post(ROUTE, json=HELLO)).json()

    assert (usual["probe_permit"], usual["panic"]) == (None, False)
    assert (decision["probe_permit"], decision["panic"]) == ("permit_1", True)


async def test_a_picodollar_is_not_rounded_and_no_price_is_not_zero(edge: RunningEdge) -> None:
    response = await edge.post(ROUTE, json=HELLO)

    assert '"expected_cost_usd":0.000000000001' in response.text
    costs = [each["expected_cost_usd"] for each in response.json()["candidates"]]
    assert costs[2] is None


async def test_an_unpriced_choice_has_no_cost(edge: RunningEdge) -> None:
    edge.router.decision.chosen.ClearField("expected_cost")

    decision = (await edge.post(ROUTE, json=HELLO)).json()

    assert decision["expected_cost_usd"] is None
    assert decision["expected_cost_p90_usd"] is None
    assert decision["breakdown"] is None


async def test_a_plain_prompt_reaches_the_router(edge: RunningEdge) -> None:
    await edge.post(ROUTE, json=HELLO)

    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, text="hello")
    assert edge.router.last_request == pb.RouteRequest(
        request=chat_pb2.ChatRequest(messages=[message])
    )


async def test_a_whole_openai_body_reaches_the_router(edge: RunningEdge) -> None:
    await edge.post(
        ROUTE,
        json={
            "model": "auto:cheap",
            "messages": [
                {"role": "developer", "content": "be brief"},
                {
                    "role": "user",
                    "name": "ada",
                    "content": [
                        {"type": "text", "text": "look"},
                        {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
                        {
                            "type": "image_url",
                            "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"},
                        },
                        {"type": "input_audio", "input_audio": {"data": PNG, "format": "mp3"}},
                        {
                            "type": "file",
                            "file": {
                                "file_data": f"data:application/pdf;base64,{PNG}",
                                "filename": "a.pdf",
                            },
                        },
                        {"type": "video_url", "video_url": {"url": "https://x.test/a.mp4"}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "find", "arguments": '{"q":1}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "found"},
                {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            ],
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "find",
                        "description": "finds",
                        "parameters": {"type": "object"},
                        "strict": True,
                    },
                }
            ],
            "tool_choice": {"type": "function", "function": {"name": "find"}},
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
            },
            "max_tokens": 5,
            "max_completion_tokens": 77,
            "temperature": 1,
            "top_p": 0.5,
            "stop": "END",
            "seed": 42,
            "reasoning_effort": "low",
            "service_tier": "flex",
            "parallel_tool_calls": False,
            "stream": True,
            "logit_bias": {"50256": -100},
        },
    )

    request = edge.router.last_request.request
    assert [message.role for message in request.messages] == [
        chat_pb2.ROLE_SYSTEM, chat_pb2.ROLE_USER, chat_pb2.ROLE_ASSISTANT,
        chat_pb2.ROLE_TOOL, chat_pb2.ROLE_ASSISTANT,
    ]  # fmt: skip
    parts = request.messages[1].parts
    assert [part.WhichOneof("content") for part in parts] == [
        "text", "image", "image", "audio", "file", "video",
    ]  # fmt: skip
    assert parts[1].image.url == "https://x.test/a.png"
    assert parts[2].image == chat_pb2.Media(data=b"\x89PNG", mime_type="image/png", detail="low")
    assert parts[3].audio == chat_pb2.Media(data=b"\x89PNG", mime_type="audio/mp3")
    assert (parts[4].file.name, parts[4].file.mime_type) == ("a.pdf", "application/pdf")
    assert request.messages[2].tool_calls[0].arguments_json == '{"q":1}'
    assert request.messages[3].tool_call_id == "call_1"
    assert request.messages[4].refusal == "no"
    assert request.tools[0].parameters_json == '{"type":"object"}'
    assert request.tool_choice == "find"
    assert request.response_format.type == chat_pb2.RESPONSE_FORMAT_TYPE_JSON_SCHEMA
    assert request.response_format.schema_json == '{"type":"object"}'
    assert request.max_output_token_count == 77
    assert (request.model, request.service_tier, list(request.stop)) == (
        "auto:cheap", "flex", ["END"],
    )  # fmt: skip
    assert (request.seed, request.temperature, request.parallel_tool_calls) == (42, 1.0, False)


async def test_null_means_not_given_as_openai_clients_send_it(edge: RunningEdge) -> None:
    optional = [
        "model", "tools", "tool_choice", "response_format", "max_tokens", "temperature", "stop",
        "seed", "service_tier", "policy", "parallel_tool_calls",
    ]  # fmt: skip

    await edge.post(ROUTE, json=HELLO | dict.fromkeys(optional))

    request = edge.router.last_request.request
    assert not request.HasField("max_output_token_count")
    assert not request.HasField("temperature")
    assert not edge.router.last_request.HasField("policy")


async def test_a_whole_policy_reaches_the_router(edge: RunningEdge) -> None:
    policy = {
        "name": "cheap",
        "weights": {"quality": 1, "cost": 0.5},
        "max_cost_usd": 0.1,
        "max_latency_ms": 1500,
        "min_quality": 80,
        "tier": "heavy",
        "providers": {"allow": ["openai"], "deny": ["groq"]},
        "baseline": "gpt-4o",
        "session_id": "s1",
        "required_capabilities": ["vision"],
    }

    await edge.post(ROUTE, json=HELLO | {"policy": policy, "explanation": "full"})

    sent = edge.router.last_request.policy
    assert (sent.name, sent.baseline, sent.session_id) == ("cheap", "gpt-4o", "s1")
    assert sent.weights == decision_pb2.PolicyWeights(quality=1, cost=0.5)
    assert sent.max_cost_picodollars == 10**11
    assert sent.max_latency.ToMilliseconds() == 1500
    assert (sent.min_quality, sent.tier) == (80, decision_pb2.TIER_HEAVY)
    assert (list(sent.allowed_providers), list(sent.denied_providers)) == (["openai"], ["groq"])
    assert list(sent.required_capabilities) == [CAPABILITY_VISION]
    assert edge.router.last_request.explanation == pb.EXPLANATION_FULL


@pytest.mark.parametrize(
    ("text", "picodollars"),
    [
        ("0.1", 10**11),
        ("0", 0),
        ("0.0000000000005", 0),
        ("0.0000000000015", 2),
        ("1e-12", 1),
        ("0.30000000000000004", 300_000_000_000),
        ("12345.678901234567", 12345678901234567),
    ],
)
async def test_a_cost_limit_is_read_from_its_decimal_text(
    edge: RunningEdge, text: str, picodollars: int
) -> None:
    head = '{"messages":[{"role":"user","content":"x"}],"policy":{"max_cost_usd":'

    await edge.send(ROUTE, head + text + "}}")

    assert edge.router.last_request.policy.max_cost_picodollars == picodollars


async def test_no_limit_is_not_a_limit_of_zero(edge: RunningEdge) -> None:
    await edge.post(ROUTE, json=HELLO | {"policy": {}})

    assert not edge.router.last_request.policy.HasField("max_cost_picodollars")
    assert not edge.router.last_request.policy.HasField("min_quality")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
         "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]},
         "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,@@"}}]}]},
         "messages[0].content[0].image_url.url"),
        ({"messages": [{"role": "user", "content": [
            {"type": "input_audio", "input_audio": {"data": "@@"}}]}]},
         "messages[0].content[0].input_audio.data"),
        ({"messages": [{"role": "user", "content": "x"}] * 2049}, "messages"),
        ({"model": 4}, "model"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"max_tokens": 10**40}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"seed": 2**63}, "seed"),
        ({"tools": [{"function": {}}]}, "tools[0].function.name"),
        ({"tools": {}}, "tools"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"policy": []}, "policy"),
        ({"policy": {"max_cost_usd": -1}}, "policy.max_cost_usd"),
        ({"policy": {"max_cost_usd": "NaN"}}, "policy.max_cost_usd"),
        ({"policy": {"max_cost_usd": 10**8}}, "policy.max_cost_usd"),
        ({"policy": {"max_latency_ms": 0}}, "policy.max_latency_ms"),
        ({"policy": {"min_quality": 101}}, "policy.min_quality"),
        ({"policy": {"weights": {"cost": -1}}}, "policy.weights.cost"),
        ({"policy": {"tier": "huge"}}, "policy.tier"),
        ({"policy": {"providers": {"allow": "openai"}}}, "policy.providers.allow"),
        ({"policy": {"required_capabilities": ["tools", "fly"]}},
         "policy.required_capabilities[1]"),
        ({"explanation": "long"}, "explanation"),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_named_by_its_path(
    edge: RunningEdge, change: dict[str, object], field: str
) -> None:
    response = await edge.post(ROUTE, json=HELLO | change)

    assert response.status_code == 422
    error = response.json()["error"]
    assert error["reason"] == "ERROR_REASON_INVALID_FIELD"
    assert [each["field"] for each in error["details"]["fields"]] == [field]
    assert error["details"]["fields"][0]["problem"]
    assert edge.router.requests == []


async def test_a_missing_field_is_said_to_be_required(edge: RunningEdge) -> None:
    response = await edge.post(ROUTE, json={})

    assert response.json()["error"]["message"] == "messages: is required"


@pytest.mark.parametrize("text", ["[]", "5", "null", '"x"'])
async def test_a_body_that_is_no_object_is_refused(edge: RunningEdge, text: str) -> None:
    response = await edge.send(ROUTE, text)

    assert response.status_code == 422
    assert response.json()["error"]["details"]["fields"][0]["field"] == "body"


async def test_2048_messages_are_accepted(edge: RunningEdge) -> None:
    response = await edge.post(ROUTE, json={"messages": HELLO["messages"] * 2048})

    assert response.status_code == 200
    assert len(edge.router.last_request.request.messages) == 2048


async def test_an_error_of_a_v1_route_is_bare(edge: RunningEdge) -> None:
    edge.router.error = NoEligibleOfferError({"REJECTION_REASON_UNPRICED": 3})

    response = await edge.post(ROUTE, json=HELLO)

    assert response.status_code == 409
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"reason", "message", "request_id", "details"}
    assert body["error"]["reason"] == "ERROR_REASON_NO_ELIGIBLE_OFFER"
    assert body["error"]["details"] == {"candidates": "3", "REJECTION_REASON_UNPRICED": "3"}


async def test_when_all_circuits_are_open_the_wait_is_told(edge: RunningEdge) -> None:
    edge.router.error = NoHealthyOfferError(3, timedelta(seconds=12.2))

    response = await edge.post(ROUTE, json=HELLO)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "13"
