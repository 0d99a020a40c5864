"""The models that no other one beats in both quality and price."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import grpc
import pytest

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.grpc_status import failure
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.frontier import FrontierModel, frontier
from steelyard_registry.domain.listing import Market, ModelFilter, select
from steelyard_registry.domain.models import State
from steelyard_registry.domain.modes import Mode
from steelyard_registry.domain.quality.scores import QualityScore, Task
from steelyard_registry.rpcs.queries import NoPrices
from tests.conftest import Serve
from tests.registry.builders import OPENAI, TODAY, catalogue_of, chat, curated
from tests.registry.priced import FixedPrices, serve_queries, shipped_catalogue

SECONDS = 10
ROUTED = ModelFilter(mode=Mode.CHAT, routable_only=True)


def scored(scores: Mapping[str, float], **models: dict[str, Any]) -> Catalogue:
    """Return a catalogue of OpenAI's models with these scores, and of other models."""
    evidence: dict[str, list[QualityScore]] = {
        model: [curated(model, score)] for model, score in scores.items()
    }
    own = {model: chat("openai") for model in scores}
    return catalogue_of(own | models, evidence=evidence)


def frontier_of(
    catalogue: Catalogue,
    prices: Mapping[str, int],
    condition: ModelFilter = ROUTED,
    task: Task = Task.GENERAL,
) -> list[FrontierModel]:
    market = Market({each.provider: each for each in catalogue.edition.providers}, prices)
    return frontier(
        select(catalogue.edition.models.values(), condition, market), condition, market, task
    )


def ids(found: list[FrontierModel]) -> list[str]:
    return [each.model.model for each in found]


def test_a_model_that_is_worse_and_dearer_is_left_out() -> None:
    catalogue = scored({"gpt-best": 95, "gpt-dear": 90, "gpt-cheap": 80})
    prices = {"openai/gpt-best": 50, "openai/gpt-dear": 60, "openai/gpt-cheap": 5}

    found = frontier_of(catalogue, prices)

    assert ids(found) == ["gpt-best", "gpt-cheap"]
    assert (found[0].score, found[0].offer, found[0].blended) == (95, "openai/gpt-best", 50)


def test_of_equals_in_quality_the_cheapest_stays_and_of_equals_in_all_the_first() -> None:
    catalogue = scored({"gpt-b": 90, "gpt-a": 90, "gpt-c": 90, "gpt-d": 80})

    found = frontier_of(
        catalogue, {"openai/gpt-a": 10, "openai/gpt-b": 10, "openai/gpt-c": 20, "openai/gpt-d": 10}
    )

    assert ids(found) == ["gpt-a"]


def test_free_and_unpriced_models_are_not_compared() -> None:
    catalogue = scored({"gpt-best": 95, "gpt-gift": 96, "gpt-unpriced": 97})

    assert ids(frontier_of(catalogue, {"openai/gpt-best": 50, "openai/gpt-gift": 0})) == [
        "gpt-best"
    ]


def test_the_cheapest_offer_that_can_be_routed_to_counts() -> None:
    catalogue = scored(
        {"gpt-best": 95}, **{"groq/gpt-best": chat("groq"), "azure/gpt-best": chat("azure")}
    )
    prices = {"openai/gpt-best": 50, "groq/gpt-best": 10, "azure/gpt-best": 20}

    found = frontier_of(catalogue, prices)

    assert [(each.offer, each.blended) for each in found] == [("openai/gpt-best", 50)]


def test_an_offer_that_is_over_does_not_count() -> None:
    over = chat("openai", deprecation_date=date(2026, 1, 1).isoformat())
    catalogue = catalogue_of(
        {"gpt-old": over, "gpt-new": chat("openai")},
        evidence={"gpt-old": [curated("gpt-old", 99)], "gpt-new": [curated("gpt-new", 90)]},
    )
    assert catalogue.edition.models["gpt-old"].state is State.DEPRECATED

    assert ids(frontier_of(catalogue, {"openai/gpt-old": 1, "openai/gpt-new": 10})) == ["gpt-new"]


def test_only_offers_that_meet_the_conditions_count() -> None:
    catalogue = scored({"gpt-best": 95, "gpt-cheap": 80})
    prices = {"openai/gpt-best": 50, "openai/gpt-cheap": 5}
    cheap = ModelFilter(mode=Mode.CHAT, routable_only=True, max_blended=49)

    assert ids(frontier_of(catalogue, prices, cheap)) == ["gpt-cheap"]


def test_quality_is_that_of_the_task() -> None:
    evidence = {
        "gpt-writer": [curated("gpt-writer", 95), curated("gpt-writer", 70, task=Task.CODING)],
        "gpt-coder": [curated("gpt-coder", 90), curated("gpt-coder", 97, task=Task.CODING)],
    }
    catalogue = catalogue_of({name: chat("openai") for name in evidence}, evidence=evidence)
    prices = {"openai/gpt-writer": 10, "openai/gpt-coder": 10}

    assert ids(frontier_of(catalogue, prices)) == ["gpt-writer"]
    found = frontier_of(catalogue, prices, task=Task.CODING)
    assert ids(found) == ["gpt-coder"]
    assert found[0].score == 97


def test_on_everything_that_ships_each_other_model_is_beaten_by_one_of_the_frontier() -> None:
    catalogue = shipped_catalogue()
    offers = [
        offer
        for model in catalogue.edition.models.values()
        for offer in model.offers
        if offer.provider == OPENAI.provider
    ]
    prices = {offer.offer: 1 + position * 7919 % 1009 for position, offer in enumerate(offers)}

    found = frontier_of(catalogue, prices)

    assert len(found) > 3
    costs = [each.blended for each in found]
    assert costs == sorted(set(costs), reverse=True)
    for model in catalogue.edition.models.values():
        compared = [
            prices[offer.offer]
            for offer in model.offers
            if offer.offer in prices and offer.state_on(TODAY) is State.ACTIVE
        ]
        if model.mode is Mode.CHAT and compared:
            assert any(
                each.score >= model.score and each.blended <= min(compared) for each in found
            )


async def asked(
    stub: RegistryServiceStub, task: int = 0, /, **conditions: object
) -> pb.ListFrontierResponse:
    request = pb.ListFrontierRequest(
        filter=pb.ModelFilter(**conditions),  # type: ignore[arg-type]
        task=task,  # type: ignore[arg-type]
    )
    return await stub.ListFrontier(request, timeout=SECONDS)


async def test_the_frontier_is_told_with_its_prices(serve: Serve) -> None:
    catalogue = scored({"gpt-best": 95, "gpt-dear": 90, "gpt-cheap": 80})
    prices = FixedPrices(
        {"openai/gpt-best": 50, "openai/gpt-dear": 60, "openai/gpt-cheap": 5}, version=12
    )
    stub = await serve_queries(serve, catalogue, prices)

    answer = await asked(stub)

    assert answer.price_snapshot_version == 12
    first, last = answer.models
    assert (first.model.model, first.score, first.blended_picodollars) == ("gpt-best", 95, 50)
    assert (last.model.model, last.cheapest_offer) == ("gpt-cheap", "openai/gpt-cheap")
    assert [each.model.model for each in (await asked(stub, words="CHEAP")).models] == ["gpt-cheap"]
    assert not (await asked(stub, min_quality=96)).models


async def test_the_task_of_the_comparison_is_not_that_of_the_filter(serve: Serve) -> None:
    evidence = {"gpt-x": [curated("gpt-x", 90), curated("gpt-x", 70, task=Task.CODING)]}
    catalogue = catalogue_of({"gpt-x": chat("openai")}, evidence=evidence)
    stub = await serve_queries(serve, catalogue, FixedPrices({"openai/gpt-x": 10}))

    answer = await asked(stub, quality_pb2.TASK_CODING, min_quality=80)

    assert [each.score for each in answer.models] == [70]


@pytest.mark.parametrize(
    ("field", "task", "conditions"),
    [
        ("task", 99, {}),
        ("filter.task", 0, {"task": 99}),
        ("filter.mode", 0, {"mode": traits.MODE_EMBEDDING}),
        ("filter.max_quality", 0, {"max_quality": float("inf")}),
        ("filter.max_blended_picodollars", 0, {"max_blended_picodollars": -1}),
    ],
)
async def test_a_bad_field_is_named(
    serve: Serve, field: str, task: int, conditions: dict[str, object]
) -> None:
    stub = await serve_queries(serve, scored({"gpt-best": 95}), FixedPrices({}))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asked(stub, task, **conditions)

    assert failure(caught.value).violations[0].field == field


async def test_without_prices_there_is_no_frontier(serve: Serve) -> None:
    stub = await serve_queries(serve, scored({"gpt-best": 95}), NoPrices())

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asked(stub)

    assert failure(caught.value).reason == reasons.ERROR_REASON_PRICING_UNAVAILABLE
