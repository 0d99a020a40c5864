"""What the registry says of models, as Route's callers get to see it."""

from pathlib import Path

import pytest

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.router.v1 import decision_pb2
from steelyard.router.v1 import routing_service_pb2 as pb
from tests.router.builders import a_model, a_provider, a_tool
from tests.router.fakes import a_pricing, a_registry
from tests.router.world import World

PRICE = (100_000, 400_000)
MANY = 60


def with_task(model: model_pb2.Model, score: float, uncertainty: float) -> model_pb2.Model:
    model.quality.tasks.add(task=quality_pb2.TASK_CODING, score=score, uncertainty=uncertainty)
    return model


def guessing(model: model_pb2.Model) -> model_pb2.Model:
    """Return the model with tools that nobody states."""
    for offer in model.offers:
        offer.ClearField("capabilities")
        offer.inferred_capabilities.append(traits.CAPABILITY_TOOLS)
    return model


def of_one_source(model: model_pb2.Model, source: str) -> model_pb2.Model:
    for offer in model.offers:
        offer.source = source
        offer.sources.append(source)
    return model


def world_of(
    tmp_path: Path, *models: model_pb2.Model, providers: tuple[str, ...] = ("openai", "groq")
) -> World:
    """Return a world of models that all cost the same."""
    prices = {offer.offer: PRICE for model in models for offer in model.offers}
    registry = a_registry(list(models), [a_provider(name) for name in providers])
    return World(tmp_path, registry=registry, pricing=a_pricing(prices))


def chosen(decision: decision_pb2.Decision) -> list[str]:
    return [each.offer for each in decision.candidates]


async def test_guessed_capabilities_make_no_offer_eligible(tmp_path: Path) -> None:
    models = a_model("sure", "openai", quality=82), guessing(a_model("guess", "groq", quality=99))
    async with world_of(tmp_path, *models) as world:
        decision = await world.decision(tools=[a_tool()], explanation=pb.EXPLANATION_FULL)

    assert chosen(decision) == ["openai/sure"]
    assert [(each.offer, each.reason) for each in decision.rejected] == [
        ("groq/guess", decision_pb2.REJECTION_REASON_MISSING_CAPABILITY)
    ]


@pytest.mark.parametrize(
    "reason",
    [
        model_pb2.DEPRECATION_REASON_DATE_PASSED,
        model_pb2.DEPRECATION_REASON_MISSING,
        model_pb2.DEPRECATION_REASON_BY_HAND,
    ],
)
async def test_deprecated_offers_are_never_chosen_whatever_the_reason(
    tmp_path: Path, reason: "model_pb2.DeprecationReason.ValueType"
) -> None:
    over = a_model("over", "groq", quality=99, state=model_pb2.LIFECYCLE_STATE_DEPRECATED)
    over.offers[0].deprecation_reason = reason
    async with world_of(tmp_path, a_model("served", "openai", quality=82), over) as world:
        decision = await world.decision(explanation=pb.EXPLANATION_FULL)
        refused = await world.refused(model="over")

    assert chosen(decision) == ["openai/served"]
    assert decision.rejected[0].reason == decision_pb2.REJECTION_REASON_DEPRECATED
    assert refused.reason_name == "ERROR_REASON_NO_ELIGIBLE_OFFER"


async def test_quality_is_that_of_the_requests_task(tmp_path: Path) -> None:
    coder = with_task(a_model("coder", "openai", quality=82), 97, 1)
    talker = with_task(a_model("talker", "groq", quality=95), 81, 1)
    async with world_of(tmp_path, coder, talker) as world:
        code = await world.decision(policy={"task_type": "code", "name": "best"})
        chat = await world.decision(policy={"name": "best"})

    assert (code.chosen.offer, code.chosen.quality) == ("openai/coder", 97)
    assert (chat.chosen.offer, chat.chosen.quality) == ("groq/talker", 95)


async def test_of_equal_scores_the_one_that_is_better_known_wins(tmp_path: Path) -> None:
    known = a_model("known", "openai", quality=88, uncertainty=1)
    guessed = a_model("guessed", "groq", quality=88, uncertainty=15)
    async with world_of(tmp_path, known, guessed) as world:
        assert (await world.decision()).chosen.offer == "openai/known"


async def test_offers_of_any_source_and_of_own_providers_are_routed_to(tmp_path: Path) -> None:
    listed = of_one_source(a_model("listed", "openai"), "models.dev")
    own = of_one_source(a_model("own", "acme-lab"), "custom")
    async with world_of(tmp_path, listed, own, providers=("openai", "acme-lab")) as world:
        decision = await world.decision()

    assert sorted(chosen(decision)) == ["acme-lab/own", "openai/listed"]


async def test_no_decision_sees_half_of_a_change(tmp_path: Path) -> None:
    def models(quality: float) -> list[model_pb2.Model]:
        return [a_model(f"model-{at}", "openai", quality=quality) for at in range(MANY)]

    async with world_of(tmp_path, *models(81)) as world:
        seen: dict[int, set[float]] = {}
        for quality in (82, 83, 84):
            world.registry.change(*models(quality))
            while world.registry.version not in seen:
                decision = await world.decision()
                scores = {candidate.quality for candidate in decision.candidates}
                seen.setdefault(decision.versions.catalog, set()).update(scores)

    assert all(len(scores) == 1 for scores in seen.values())
