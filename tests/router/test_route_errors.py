"""What Route refuses, by code, reason and field."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from steelyard.health.v1 import health_pb2
from steelyard.router.v1 import (
    access_service_pb2,
    access_service_pb2_grpc,
    chat_pb2,
    completion_service_pb2,
    completion_service_pb2_grpc,
    decision_pb2,
    key_service_pb2,
    key_service_pb2_grpc,
    preference_service_pb2,
    preference_service_pb2_grpc,
    usage_service_pb2,
    usage_service_pb2_grpc,
)
from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_common.call_failure import CallFailure
from steelyard_common.grpc_status import failure
from tests.router.builders import a_model, a_provider, a_tool
from tests.router.fakes import a_pricing, a_registry
from tests.router.world import LARGE, RIVAL, SMALL, World

JSON_SCHEMA = chat_pb2.RESPONSE_FORMAT_TYPE_JSON_SCHEMA


def fields(found: CallFailure) -> set[str]:
    assert found.code is grpc.StatusCode.INVALID_ARGUMENT
    assert found.reason_name == "ERROR_REASON_INVALID_FIELD"
    return {violation.field for violation in found.violations}


@pytest.mark.parametrize(
    ("request_fields", "policy", "field"),
    [
        ({"messages": []}, {}, "request.messages"),
        ({"messages": [chat_pb2.Message(text="x")]}, {}, "request.messages[0].role"),
        ({"max_output_token_count": -1}, {}, "request.max_output_token_count"),
        ({"max_output_token_count": 0}, {}, "request.max_output_token_count"),
        ({"temperature": 2.1}, {}, "request.temperature"),
        ({"temperature": math.nan}, {}, "request.temperature"),
        ({"top_p": -0.1}, {}, "request.top_p"),
        ({"stop": list("abcde")}, {}, "request.stop"),
        ({"service_tier": "gold"}, {}, "request.service_tier"),
        ({"reasoning_effort": "huge"}, {}, "request.reasoning_effort"),
        ({"tool_choice": "required"}, {}, "request.tool_choice"),
        ({"tool_choice": "other", "tools": [a_tool()]}, {}, "request.tool_choice"),
        ({"model": "auto:free"}, {}, "request.model"),
        ({"model": "tier:huge"}, {}, "request.model"),
        ({"model": "m" * 257}, {}, "request.model"),
        (
            {
                "response_format": chat_pb2.ResponseFormat(
                    type=chat_pb2.RESPONSE_FORMAT_TYPE_JSON_SCHEMA
                )
            },
            {},
            "request.response_format.schema_json",
        ),
        ({}, {"name": "frugal"}, "policy.name"),
        ({}, {"task_type": "poetry"}, "policy.task_type"),
        ({}, {"max_cost_picodollars": -1}, "policy.max_cost_picodollars"),
        ({}, {"max_latency": timedelta(0)}, "policy.max_latency"),
        ({}, {"min_quality": 101}, "policy.min_quality"),
        ({}, {"min_quality": math.nan}, "policy.min_quality"),
        ({}, {"min_tier": 4, "max_tier": 2}, "policy.min_tier"),
        ({}, {"tier": 9}, "policy.tier"),
        ({}, {"required_capabilities": [99]}, "policy.required_capabilities[0]"),
        ({}, {"allowed_providers": ["p"] * 201}, "policy.allowed_providers"),
        ({}, {"region": "r" * 257}, "policy.region"),
        ({}, {"weights": decision_pb2.PolicyWeights()}, "policy.weights"),
        ({}, {"weights": decision_pb2.PolicyWeights(cost=-1)}, "policy.weights.cost"),
        ({}, {"weights": decision_pb2.PolicyWeights(risk=math.nan)}, "policy.weights.risk"),
        ({}, {"weights": decision_pb2.PolicyWeights(quality=math.inf)}, "policy.weights.quality"),
        ({"model": "auto:cheap"}, {"name": "best"}, "policy.name"),
        ({"model": "tier:micro"}, {"tier": 4}, "policy.tier"),
    ],
)
async def test_a_bad_field_is_named(
    world: World, request_fields: dict[str, Any], policy: dict[str, Any], field: str
) -> None:
    assert field in fields(await world.refused(policy=policy, **request_fields))


async def test_all_bad_fields_are_named_at_once(world: World) -> None:
    found = await world.refused(
        temperature=9,
        model="auto:free",
        policy={"name": "frugal", "min_quality": -1, "max_cost_picodollars": -1},
    )

    assert fields(found) == {
        "request.temperature",
        "request.model",
        "policy.name",
        "policy.min_quality",
        "policy.max_cost_picodollars",
    }


async def test_too_many_messages_are_refused(world: World) -> None:
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, text="x")

    assert fields(await world.refused(messages=[message] * 2049)) == {"request.messages"}
    assert (await world.decision(messages=[message] * 2048)).decision_id


async def test_an_unknown_word_after_auto_lists_the_known_ones(world: World) -> None:
    found = await world.refused(model="auto:free")

    assert "auto:balanced, auto:cheap, auto:fast, auto:best" in found.violations[0].problem


@pytest.mark.parametrize(
    "request_fields", [{"model": "gpt-smal"}, {"policy": {"baseline": "gpt-smal"}}]
)
async def test_an_unknown_model_is_not_found_and_the_nearest_are_named(
    world: World, request_fields: dict[str, Any]
) -> None:
    found = await world.refused(**request_fields)

    assert found.code is grpc.StatusCode.NOT_FOUND
    assert found.reason_name == "ERROR_REASON_MODEL_NOT_FOUND"
    assert found.metadata["model"] == "gpt-smal"
    assert found.metadata["nearest"].split(",")[0] == "gpt-small"


async def test_when_every_offer_is_rejected_the_reasons_are_counted(world: World) -> None:
    found = await world.refused(policy={"min_quality": 96})

    assert found.code is grpc.StatusCode.FAILED_PRECONDITION
    assert found.reason_name == "ERROR_REASON_NO_ELIGIBLE_OFFER"
    assert found.metadata == {"candidates": "3", "REJECTION_REASON_QUALITY_TOO_LOW": "3"}


async def test_a_named_offer_that_cannot_serve_counts_no_other_models(world: World) -> None:
    found = await world.refused(model=SMALL, policy={"max_cost_picodollars": 1})

    assert found.metadata == {"candidates": "1", "REJECTION_REASON_TOO_EXPENSIVE": "1"}


async def test_offers_that_pricing_cannot_price_after_all_are_counted_too(
    tmp_path: Path,
) -> None:
    registry = a_registry([a_model("x", "openai")], [a_provider("openai")])
    async with World(tmp_path, registry=registry, pricing=a_pricing()) as world:
        found = await world.refused()

        assert found.metadata == {"candidates": "1", "REJECTION_REASON_UNPRICED": "1"}


async def test_when_all_offers_are_taken_out_by_hand_the_caller_is_told_until_when(
    world: World,
) -> None:
    for offer in (SMALL, LARGE, RIVAL):
        world.health.report(offer, state=health_pb2.HEALTH_STATE_MAINTENANCE)
        world.health.offers[offer].retry_time.FromSeconds(4_000_000_000)

    found = await world.refused()

    assert found.code is grpc.StatusCode.UNAVAILABLE
    assert found.reason_name == "ERROR_REASON_NO_HEALTHY_OFFER"
    assert found.metadata["candidates"] == "3"
    assert found.retry_delay is not None
    assert found.retry_delay > timedelta(days=1000)


async def test_a_prompt_to_classify_is_checked(world: World) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.stub.ClassifyPrompt(
            pb.ClassifyPromptRequest(prompt="ü" * (4 * 1024 * 1024 + 1), task_type="poetry"),
            timeout=10,
        )

    assert fields(failure(caught.value)) == {"prompt", "task_type"}


@pytest.mark.parametrize(
    ("service", "module", "method", "request_message"),
    [
        (
            "CompletionService",
            completion_service_pb2_grpc,
            "Complete",
            completion_service_pb2.CompleteRequest(),
        ),
        ("KeyService", key_service_pb2_grpc, "ListKeys", key_service_pb2.ListKeysRequest()),
        (
            "AccessService",
            access_service_pb2_grpc,
            "ListClientKeys",
            access_service_pb2.ListClientKeysRequest(),
        ),
        (
            "PreferenceService",
            preference_service_pb2_grpc,
            "GetPreferences",
            preference_service_pb2.GetPreferencesRequest(),
        ),
        ("UsageService", usage_service_pb2_grpc, "GetUsage", usage_service_pb2.GetUsageRequest()),
    ],
)
async def test_what_this_version_does_not_serve_says_so(
    world: World, service: str, module: Any, method: str, request_message: Any
) -> None:
    stub = getattr(module, f"{service}Stub")(world.channel)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(stub, method)(request_message, timeout=5)

    found = failure(caught.value)
    assert found.code is grpc.StatusCode.UNIMPLEMENTED
    assert found.reason_name == "ERROR_REASON_NOT_IMPLEMENTED"
    assert found.metadata == {"method": f"/steelyard.router.v1.{service}/{method}"}
