"""Offers joined to models."""

from datetime import date

import pytest

from steelyard_registry.domain.catalogue import difference
from steelyard_registry.domain.models import State
from steelyard_registry.domain.modes import Mode
from tests.registry.builders import catalogue_of, chat, curated, listed

GPT_4O = {
    "gpt-4o": chat("openai", max_input_tokens=128000, max_output_tokens=16384),
    "gpt-4o-2024-08-06": chat("openai", max_input_tokens=128000),
    "azure/eu/gpt-4o-2024-08-06": chat("azure", max_input_tokens=131072, max_output_tokens=8192),
}


def test_all_sellers_of_a_model_are_joined_the_maker_first() -> None:
    model = catalogue_of(GPT_4O, openrouter=[listed("openai/gpt-4o")]).edition.models["gpt-4o"]

    assert [offer.offer for offer in model.offers] == [
        "openai/gpt-4o",
        "openai/gpt-4o-2024-08-06",
        "azure/eu/gpt-4o-2024-08-06",
        "openrouter/openai/gpt-4o",
    ]
    assert {offer.model for offer in model.offers} == {"gpt-4o"}
    assert (model.maker, model.context_window, model.max_output_tokens) == ("openai", 131072, 16384)
    assert model.aliases == ("gpt-4o-2024-08-06",)


def test_what_openrouter_knows_of_a_model_is_taken_over() -> None:
    told = listed(
        "openai/gpt-4o",
        name="OpenAI: GPT-4o",
        created=1715558400,
        knowledge_cutoff="2023-10-31",
        context_length=128000,
        top_provider={"max_completion_tokens": 16384},
    )
    free = listed("openai/gpt-4o:free", name="OpenAI: GPT-4o (free)", created=1999999999)

    model = catalogue_of({}, openrouter=[told, free]).edition.models["gpt-4o"]

    assert model.display_name == "GPT-4o"
    assert (model.release_date, model.knowledge_cutoff) == (date(2024, 5, 13), date(2023, 10, 31))
    assert [offer.provider_model for offer in model.offers] == [
        "openai/gpt-4o",
        "openai/gpt-4o:free",
    ]


@pytest.mark.parametrize("created", [-1, 0, 10**14, "1715558400000000", None])
def test_an_impossible_day_of_release_is_not_known(created: object) -> None:
    catalogue = catalogue_of({}, openrouter=[listed("openai/gpt-4o", created=created)])

    assert catalogue.edition.models["gpt-4o"].release_date is None


def test_moving_names_lead_to_the_model_that_they_stand_for_now() -> None:
    moving = listed("~openai/gpt-latest", alias_target={"slug": "openai/gpt-5.6-sol"})
    catalogue = catalogue_of({}, openrouter=[listed("openai/gpt-5.6-sol"), moving])

    found = catalogue.find("~openai/gpt-latest")

    assert found is not None
    assert found.model == "gpt-5.6-sol"
    assert found.aliases == ("~openai/gpt-latest",)
    assert len(catalogue.edition.models) == 1


def test_a_moving_name_for_something_that_is_not_sold_means_nothing() -> None:
    moving = listed("~openai/gpt-latest", alias_target={"slug": "openai/gone"})

    assert catalogue_of({}, openrouter=[listed("a/gpt-4o"), moving]).find(moving["id"]) is None


def test_batch_prices_are_no_offer_of_their_own() -> None:
    catalogue = catalogue_of({}, openrouter=[listed("a/gpt-4o"), listed("a/gpt-4o:batch")])

    assert [offer.offer for offer in catalogue.edition.models["gpt-4o"].offers] == [
        "openrouter/a/gpt-4o"
    ]


def test_kinds_of_work_are_never_mixed_in_one_model() -> None:
    catalogue = catalogue_of(
        {
            "gpt-4o": chat("openai"),
            "azure/gpt-4o": {"litellm_provider": "azure", "mode": "embedding"},
        }
    )

    models = catalogue.edition.models
    assert [offer.offer for offer in models["gpt-4o"].offers] == ["openai/gpt-4o"]
    assert models["azure/gpt-4o"].mode is Mode.EMBEDDING
    assert models["azure/gpt-4o"].offers[0].model == "azure/gpt-4o"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"mode": "responses"}, True),
        ({"mode": "responses", "supported_endpoints": ["/v1/responses"]}, True),
        ({"supported_endpoints": ["/v1/responses", "/v1/batch"]}, True),
        ({"supported_endpoints": ["/v1/chat/completions", "/v1/responses"]}, False),
        ({"mode": "responses", "supported_endpoints": ["/v1/chat/completions"]}, False),
        ({}, False),
    ],
)
def test_it_is_known_who_speaks_only_the_responses_api(
    fields: dict[str, object],
    expected: bool,  # noqa: FBT001
) -> None:
    model = catalogue_of({"gpt-5-pro": chat("openai") | fields}).edition.models["gpt-5-pro"]

    assert model.offers[0].responses_api_only is expected
    assert model.mode is Mode.CHAT


@pytest.mark.parametrize(
    ("key", "provider", "fields", "regions"),
    [
        ("azure/eu/gpt-4o", "azure", {}, ("eu",)),
        ("azure/gpt-4o", "azure", {}, ()),
        ("us.anthropic.claude-opus-4-7", "bedrock_converse", {}, ("us",)),
        ("bedrock/us-gov-east-1/claude-sonnet-5", "bedrock", {}, ("us-gov-east-1",)),
        ("bedrock/eu-west-1/1-month-commitment/a.b-v1", "bedrock", {}, ("eu-west-1",)),
        ("vertex_ai/x", "vertex_ai", {"supported_regions": ["global"]}, ("global",)),
        ("groq/us/x", "groq", {}, ()),
    ],
)
def test_regions_are_those_that_the_seller_names(
    key: str, provider: str, fields: dict[str, object], regions: tuple[str, ...]
) -> None:
    (model,) = catalogue_of({key: chat(provider, **fields)}).edition.models.values()

    assert model.offers[0].regions == regions


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_output_tokens": 10, "max_tokens": 99}, 10),
        ({"max_tokens": 4096, "max_input_tokens": 8192}, 4096),
        ({"max_tokens": 8192, "max_input_tokens": 8192}, None),
        ({"max_output_tokens": "many"}, None),
        ({}, None),
    ],
)
def test_the_legacy_limit_counts_only_where_it_says_something_new(
    fields: dict[str, object], expected: int | None
) -> None:
    model = catalogue_of({"o1": chat("openai", **fields)}).edition.models["o1"]

    assert model.max_output_tokens == expected


@pytest.mark.parametrize(
    ("deprecation_date", "state"),
    [
        ("2026-11-01", State.DEPRECATED),
        ("2026-11-02", State.DEPRECATED),
        ("2026-11-03", State.ACTIVE),
        ("soon", State.ACTIVE),
    ],
)
def test_r1_an_offer_is_deprecated_from_the_day_that_its_seller_names(
    deprecation_date: str, state: State
) -> None:
    models = {"gpt-4": chat("openai", deprecation_date=deprecation_date)}

    model = catalogue_of(models, today=date(2026, 11, 2)).edition.models["gpt-4"]

    assert (model.state, model.offers[0].state) == (state, state)


def test_a_model_lives_as_long_as_one_of_its_offers() -> None:
    models = {
        "gpt-4o": chat("openai", deprecation_date="2026-01-01"),
        "azure/gpt-4o": chat("azure"),
    }

    model = catalogue_of(models).edition.models["gpt-4o"]

    assert model.state is State.ACTIVE
    assert [offer.state for offer in model.offers] == [State.DEPRECATED, State.ACTIVE]


def test_only_true_changes_make_a_difference() -> None:
    older = catalogue_of({"o1": chat("openai"), "o3": chat("openai"), "gpt-4": chat("openai")})
    newer = catalogue_of(
        {"o1": chat("openai"), "o3": chat("openai", supports_vision=True), "gpt-5": chat("openai")},
        version=2,
        previous=older,
    )

    change = difference(older.edition, newer.edition)

    assert [model.model for model in change.models] == ["gpt-5", "o3"]
    assert change.removed == ("gpt-4",)
    assert change.providers is None
    assert newer.edition.models["o1"] is older.edition.models["o1"]


def test_a_new_seller_changes_the_providers() -> None:
    older = catalogue_of({"o1": chat("openai")})
    newer = catalogue_of({"o1": chat("openai"), "groq/x": chat("groq")}, version=2)

    change = difference(older.edition, newer.edition)

    assert change.providers is not None
    assert [each.provider for each in change.providers] == ["groq", "openai"]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("gpt-4o", "gpt-4o"),
        ("GPT-4O", "gpt-4o"),
        ("azure/eu/gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini", None),
        ("gpt-4-mini", None),
        ("eu/gpt-4o-2024-08-06", "gpt-4o"),
        ("", None),
    ],
)
def test_models_are_found_by_every_name_of_theirs(name: str, model: str | None) -> None:
    found = catalogue_of(GPT_4O).find(name)

    assert (found.model if found else None) == model


def test_a_model_that_its_maker_does_not_sell_is_found_too() -> None:
    catalogue = catalogue_of(
        {
            "groq/openai/gpt-oss-120b": chat("groq"),
            "cerebras/gpt-oss-120b": chat("cerebras"),
            "heroku/claude-3-5-sonnet-latest": chat("heroku"),
        }
    )

    names = ("gpt-oss-120b", "claude-3.5-sonnet", "openai/gpt-oss-120b")
    found = [catalogue.find(name) for name in names]

    assert [each.model if each else None for each in found] == [
        "gpt-oss-120b",
        "claude-3-5-sonnet",
        "gpt-oss-120b",
    ]


def test_scores_belong_to_exactly_the_model_that_they_name() -> None:
    evidence = {"gpt-4o": [curated("gpt-4o", 86.5)]}
    models = {"gpt-4o": chat("openai"), "gpt-4o-mini": chat("openai"), "gpt-4": chat("openai")}

    catalogue = catalogue_of(models, evidence=evidence)

    sources = {
        each.model: each.quality.source if each.quality else None
        for each in catalogue.edition.models.values()
    }
    assert sources == {"gpt-4": "heuristic", "gpt-4o": "curated", "gpt-4o-mini": "heuristic"}
