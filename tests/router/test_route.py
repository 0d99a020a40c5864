"""Route through the front door, between fakes that behave."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.health.v1 import health_pb2
from steelyard.registry.v1 import model_pb2
from steelyard.router.v1 import chat_pb2, decision_pb2
from steelyard.router.v1 import routing_service_pb2 as pb
from tests.router.builders import a_model, a_provider, a_tool
from tests.router.fakes import a_pricing, a_registry
from tests.router.world import LARGE, RIVAL, SMALL, World


def offers(candidates: Any) -> list[str]:
    return [candidate.offer for candidate in candidates]


def reasons(decision: decision_pb2.Decision) -> dict[str, str]:
    name = decision_pb2.RejectionReason.Name
    return {
        each.offer: name(each.reason).removeprefix("REJECTION_REASON_")
        for each in decision.rejected
    }


async def test_a_decision_explains_itself(world: World) -> None:
    decision = await world.decision()

    chosen = decision.chosen
    assert chosen == decision.candidates[0]
    assert offers(decision.candidates) == [RIVAL, SMALL, LARGE]
    assert offers(decision.fallbacks) == [SMALL, LARGE]
    assert re.fullmatch(r"dec_[0-9a-z]{26}", decision.decision_id)
    assert (chosen.model, chosen.provider) == ("llama-rival", "groq")
    usage = decision.expected_usage
    assert usage.output_token_count == 500
    assert chosen.expected_cost.total_picodollars == (
        usage.uncached_input_token_count * 200_000 + 500 * 300_000
    )
    assert chosen.expected_cost_p90_picodollars == (
        usage.uncached_input_token_count * 200_000 + 850 * 300_000
    )
    assert (chosen.quality, chosen.quality_basis, chosen.health) == (84, "curated", 1)
    assert decision.versions == decision_pb2.DataVersions(
        prices=7, catalog=11, health=3, policy=decision.versions.policy
    )
    assert decision.versions.policy
    assert not any([decision.stale_prices, decision.stale_health, decision.stale_catalog])
    assert decision.tier == decision_pb2.TIER_MICRO
    assert decision.classifier == "rules"
    assert decision.policy.name == "balanced"
    assert decision.reason.startswith("llama-rival at groq: quality 84 for 0.00015 USD expected")
    parts = chosen.utility_breakdown
    assert chosen.utility == pytest.approx(parts.quality - parts.cost - parts.latency - parts.risk)


async def test_each_dependency_is_asked_once_with_all_candidates_in_it(world: World) -> None:
    await world.route()

    (quoted,), (checked,) = world.pricing.quoted, world.health.checked
    assert sorted(quoted.offers) == sorted(checked.offers) == sorted([SMALL, LARGE, RIVAL])


async def test_the_same_request_and_state_give_the_same_decision(world: World) -> None:
    first, second = await world.decision(), await world.decision()

    for each in (first, second):
        each.ClearField("decision_id")
        each.ClearField("create_time")
    assert first == second


async def test_no_prompt_is_kept(world: World) -> None:
    decision = await world.decision("my secret is xyzzy-plugh")

    assert b"xyzzy" not in decision.SerializeToString()


async def test_without_keys_everything_competes_and_the_decision_says_so(world: World) -> None:
    decision = await world.decision()

    assert not any(candidate.key_present for candidate in decision.candidates)


async def test_with_a_key_only_its_provider_competes(tmp_path: Path) -> None:
    async with World(tmp_path, OPENAI_API_KEY="sk-test-0123456789") as world:
        decision = await world.decision()

        assert offers(decision.candidates) == [SMALL, LARGE]
        assert all(candidate.key_present for candidate in decision.candidates)
        assert reasons(decision) == {RIVAL: "NO_KEY"}


async def test_q1_a_simple_prompt_with_only_an_openai_key_goes_to_a_cheap_chat_model(
    tmp_path: Path,
) -> None:
    async with World(tmp_path, OPENAI_API_KEY="sk-test-0123456789") as world:
        assert (await world.decision("hello")).chosen.offer == SMALL


@pytest.mark.parametrize("model", [LARGE, "gpt-large", "GPT-Large"])
async def test_q6_a_model_that_is_named_is_honoured(world: World, model: str) -> None:
    decision = await world.decision(model=model, policy={"name": "cheap"})

    assert offers(decision.candidates) == [LARGE]
    assert decision.requested_model == model
    assert not decision.quality_floor_relaxed
    other = decision_pb2.REJECTION_REASON_OTHER_MODEL
    assert {each.reason: each.count for each in decision.rejection_counts} == {other: 2}
    assert not decision.rejected


async def test_q6_a_named_model_is_honoured_without_a_key_for_it(tmp_path: Path) -> None:
    async with World(tmp_path, OPENAI_API_KEY="sk-test-0123456789") as world:
        decision = await world.decision(model="llama-rival")

        assert decision.chosen.offer == RIVAL
        assert not decision.chosen.key_present


async def test_all_other_offers_are_named_when_everything_is_to_be_explained(world: World) -> None:
    decision = await world.decision(model=LARGE, explanation=pb.EXPLANATION_FULL)

    assert reasons(decision) == {SMALL: "OTHER_MODEL", RIVAL: "OTHER_MODEL"}


@pytest.mark.parametrize(
    ("model", "policy"),
    [("auto:best", "best"), ("auto:cheap", "cheap"), ("auto", "balanced"), ("", "balanced")],
)
async def test_auto_may_name_a_policy(world: World, model: str, policy: str) -> None:
    decision = await world.decision(model=model)

    assert decision.policy.name == policy
    assert decision.requested_model == ""


async def test_a_tier_may_be_pinned_by_the_model(world: World) -> None:
    decision = await world.decision(model="tier:complex")

    assert decision.tier == decision_pb2.TIER_COMPLEX
    assert decision.classifier == "request"
    assert offers(decision.candidates) == [LARGE]
    assert reasons(decision) == {SMALL: "QUALITY_TOO_LOW", RIVAL: "QUALITY_TOO_LOW"}


@pytest.mark.parametrize(
    ("policy", "tier"),
    [
        ({"tier": decision_pb2.TIER_HEAVY}, decision_pb2.TIER_HEAVY),
        ({"min_tier": decision_pb2.TIER_VERSATILE}, decision_pb2.TIER_VERSATILE),
        ({"max_tier": decision_pb2.TIER_HEAVY}, decision_pb2.TIER_MICRO),
    ],
)
async def test_the_policy_pins_or_bounds_the_tier(
    world: World, policy: dict[str, Any], tier: int
) -> None:
    assert (await world.decision(policy=policy)).tier == tier


async def test_a_floor_that_nobody_reaches_gives_way_and_the_decision_says_so(
    tmp_path: Path,
) -> None:
    registry = a_registry([a_model("gpt-small", "openai", quality=82)], [a_provider("openai")])
    async with World(tmp_path, registry=registry) as world:
        decision = await world.decision(model="tier:complex")

        assert decision.quality_floor_relaxed
        assert decision.chosen.offer == SMALL


async def test_explicit_weights_win_over_the_name(world: World) -> None:
    weights = decision_pb2.PolicyWeights(quality=1)
    decision = await world.decision(policy={"name": "cheap", "weights": weights})

    assert decision.chosen.offer == LARGE
    assert decision.policy.weights.quality == 4.5


async def test_q2_only_chat_models_are_chosen(world: World) -> None:
    world.registry.change(a_model("embed-large", "openai", quality=100, mode=traits.MODE_EMBEDDING))
    world.pricing.set_rate("openai/embed-large", 1, 1)

    decision = await world.decision_when(lambda decision: decision.versions.catalog == 12)

    assert "openai/embed-large" not in offers(decision.candidates)
    assert reasons(decision)["openai/embed-large"] == "WRONG_MODE"


async def test_q4_tools_keep_every_offer_eligible_that_flags_them(world: World) -> None:
    world.registry.change(
        a_model("mute", "openai", capabilities=[traits.CAPABILITY_SYSTEM_MESSAGES])
    )
    decision = await world.decision_when(
        lambda decision: decision.versions.catalog == 12, tools=[a_tool()], tool_choice="required"
    )

    assert offers(decision.candidates) == [RIVAL, SMALL, LARGE]
    assert reasons(decision) == {"openai/mute": "MISSING_CAPABILITY"}


async def test_q8_expected_cost_counts_the_tokens_of_this_request(world: World) -> None:
    """The rival writes more cheaply, the small one reads more cheaply."""
    text = "An invoice with many lines. " * 4000

    short = await world.decision("Hi", policy={"name": "cheap"})
    long = await world.decision(text, policy={"name": "cheap", "tier": decision_pb2.TIER_MICRO})

    assert short.chosen.offer == RIVAL
    assert long.chosen.offer == SMALL


async def test_a_limit_on_completions_bounds_what_is_expected(world: World) -> None:
    decision = await world.decision(max_output_token_count=40)

    assert decision.expected_usage.output_token_count == 40
    assert decision.expected_output_token_count_p90 == 40


async def test_images_need_vision_and_are_counted(world: World) -> None:
    image = chat_pb2.Media(url="https://example.com/cat.png", detail="low")
    parts = [chat_pb2.ContentPart(text="What is this?"), chat_pb2.ContentPart(image=image)]
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, parts=parts)
    capabilities = [traits.CAPABILITY_VISION]
    world.registry.change(a_model("gpt-small", "openai", capabilities=capabilities))
    await world.decision_when(lambda decision: decision.versions.catalog == 12)

    decision = await world.decision(messages=[message])

    assert decision.expected_usage.image_input_token_count == 85
    assert offers(decision.candidates) == [SMALL]


async def test_an_unpriced_offer_is_chosen_only_where_it_is_allowed_and_last(world: World) -> None:
    world.registry.change(a_model("fresh", "openai", quality=99))
    fresh = "openai/fresh"

    refused = await world.decision_when(lambda decision: decision.versions.catalog == 12)
    allowed = await world.decision(policy={"allow_unpriced": True})

    assert reasons(refused) == {fresh: "UNPRICED"}
    assert offers(allowed.candidates)[-1] == fresh
    assert not allowed.candidates[-1].HasField("expected_cost")


async def test_offers_above_the_cost_limit_are_rejected(world: World) -> None:
    decision = await world.decision(policy={"max_cost_picodollars": 10**9, "name": "best"})

    assert reasons(decision) == {LARGE: "TOO_EXPENSIVE"}
    assert LARGE not in offers(decision.candidates)


async def test_offers_that_are_known_to_be_slow_are_rejected(world: World) -> None:
    world.health.report(RIVAL, latency_p50=timedelta(seconds=8))

    decision = await world.decision(policy={"max_latency": timedelta(seconds=2)})

    assert reasons(decision) == {RIVAL: "TOO_SLOW"}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"circuit": health_pb2.CIRCUIT_STATE_OPEN}, "CIRCUIT_OPEN"),
        ({"circuit": health_pb2.CIRCUIT_STATE_HALF_OPEN}, "CIRCUIT_OPEN"),
        ({"state": health_pb2.HEALTH_STATE_RATE_LIMITED}, "RATE_LIMITED"),
        ({"circuit": health_pb2.CIRCUIT_STATE_OPEN, "sample_count": 0}, "CIRCUIT_OPEN"),
    ],
)
async def test_an_offer_that_is_away_is_not_chosen(
    world: World, facts: dict[str, Any], reason: str
) -> None:
    world.health.report(RIVAL, **facts)

    decision = await world.decision()

    assert decision.chosen.offer == SMALL
    assert reasons(decision) == {RIVAL: reason}


async def test_health_moves_the_choice(world: World) -> None:
    world.health.report(RIVAL, score=0.3, success_rate=0.4)

    assert (await world.decision()).chosen.offer == SMALL


async def test_when_all_circuits_are_open_the_least_bad_offer_is_tried(world: World) -> None:
    for offer in (SMALL, LARGE, RIVAL):
        world.health.report(offer, circuit=health_pb2.CIRCUIT_STATE_OPEN, score=0.1)

    assert (await world.decision()).chosen.offer == RIVAL


async def test_a_baseline_is_priced_beside_the_candidates(world: World) -> None:
    decision = await world.decision(model=SMALL, policy={"baseline": "gpt-large"})

    usage = decision.expected_usage
    assert decision.baseline_cost.total_picodollars == (
        usage.uncached_input_token_count * 5_000_000 + 500 * 20_000_000
    )
    assert offers(decision.candidates) == [SMALL]


async def test_a_deprecated_offer_is_not_chosen(world: World) -> None:
    state = model_pb2.LIFECYCLE_STATE_DEPRECATED
    world.registry.change(a_model("llama-rival", "groq", quality=84, state=state))

    decision = await world.decision_when(lambda decision: decision.versions.catalog == 12)

    assert reasons(decision) == {RIVAL: "DEPRECATED"}


async def test_at_most_fifty_rejected_offers_are_listed_and_all_are_counted(
    tmp_path: Path,
) -> None:
    names = [f"m{number:03}" for number in range(120)]
    registry = a_registry(
        [a_model(name, "openai", quality=90) for name in names], [a_provider("openai")]
    )
    pricing = a_pricing({f"openai/{name}": (1_000, 1_000) for name in names})
    async with World(tmp_path, registry=registry, pricing=pricing) as world:
        decision = await world.decision()
        full = await world.decision(explanation=pb.EXPLANATION_FULL)

        assert len(world.pricing.quoted[-1].offers) == 16
        assert len(decision.rejected) == 50
        assert len(full.rejected) == 104
        assert [each.count for each in decision.rejection_counts] == [104]


async def test_a_prompt_is_classified_with_its_factors(world: World) -> None:
    found = await world.stub.ClassifyPrompt(
        pb.ClassifyPromptRequest(prompt="write a function", task_type="code"), timeout=5
    )

    assert found.tier == decision_pb2.TIER_VERSATILE
    assert found.complexity_score == 5
    assert [(factor.name, factor.points) for factor in found.factors] == [
        ("code_keywords", 3),
        ("task_type", 2),
    ]
    assert found.classifier == "rules"
    empty = await world.stub.ClassifyPrompt(pb.ClassifyPromptRequest(), timeout=5)
    assert empty.tier == decision_pb2.TIER_MICRO
