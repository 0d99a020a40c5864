"""The real feeds of three years."""

import json
from datetime import date
from pathlib import Path

import pytest

from steelyard_catalog.litellm import read_litellm
from steelyard_registry.adapters.curated_scores import read_curated_scores
from steelyard_registry.adapters.provider_table import read_providers
from steelyard_registry.adapters.sources import litellm_facts, openrouter_facts
from steelyard_registry.domain.catalogue import Catalogue, difference
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.modes import Capability
from tests.registry.builders import SEED_TIME

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.replays,
    pytest.mark.xdist_group("registry_real_data"),
]

LITELLM = (
    "2023-12-14_v1.14.4",
    "2025-11-09_v1.79.3",
    "2026-02-26_v1.81.16",
    "2026-08-09_v1.92.2",
    "2026-10-21_v1.106.2",
)
OPENROUTER = ("models_2025-05-23", "models_2026-07-17", "models_2026-08-01")
TODAY = date(2026, 10, 21)
FLAGS = {
    "supports_function_calling": Capability.TOOLS,
    "supports_vision": Capability.VISION,
    "supports_response_schema": Capability.STRUCTURED_OUTPUT,
    "supports_reasoning": Capability.REASONING,
    "supports_prompt_caching": Capability.PROMPT_CACHING,
}


def build(data: Path, litellm: str, openrouter: str, *, version: int = 1) -> Catalogue:
    market = litellm_facts((data / "litellm" / f"{litellm}.json").read_bytes(), SEED_TIME)
    own = openrouter_facts((data / "openrouter" / f"{openrouter}.json").read_bytes(), SEED_TIME)
    others = (offer for offer in market.offers if offer.provider != "openrouter")
    facts = Facts(
        offers=(*others, *own.offers),
        source_keys=market.source_keys,
        moving_names=own.moving_names,
        evidence=read_curated_scores(),
        providers=read_providers(),
    )
    return Catalogue.build(facts, version=version, today=TODAY, is_stale=False)


@pytest.fixture(scope="module")
def newest(real_data: Path) -> Catalogue:
    return build(real_data, LITELLM[-1], OPENROUTER[-1])


@pytest.mark.parametrize(
    ("litellm", "openrouter"),
    [
        *((litellm, OPENROUTER[-1]) for litellm in LITELLM),
        *((LITELLM[-1], openrouter) for openrouter in OPENROUTER[:-1]),
    ],
)
def test_every_edition_makes_a_catalogue(real_data: Path, litellm: str, openrouter: str) -> None:
    catalogue = build(real_data, litellm, openrouter)

    models = catalogue.edition.models.values()
    offers = [offer for model in models for offer in model.offers]
    assert len({offer.offer for offer in offers}) == len(offers) > 400
    assert all(catalogue.find(offer.offer) is not None for offer in offers)
    assert all(catalogue.find(model.model) is model for model in models)
    assert sum(each.offer_count for each in catalogue.edition.providers) == len(offers)
    assert {offer.provider for offer in offers} <= {
        each.provider for each in catalogue.edition.providers
    }


def test_editions_follow_each_other_by_their_differences(real_data: Path) -> None:
    older = build(real_data, LITELLM[-2], OPENROUTER[-2])
    newer = build(real_data, LITELLM[-1], OPENROUTER[-1], version=2)

    change = difference(older.edition, newer.edition)

    copy = dict(older.edition.models)
    for gone in change.removed:
        del copy[gone]
    copy |= {model.model: model for model in change.models}
    assert copy == dict(newer.edition.models)
    assert len(change.models) > 1000


@pytest.mark.parametrize(
    ("model", "sellers"),
    [
        ("gpt-4o", {"openai", "azure", "openrouter", "replicate"}),
        ("claude-sonnet-4-5", {"anthropic", "bedrock", "vertex_ai", "openrouter", "databricks"}),
        ("llama-3.3-70b-instruct", {"meta", "together_ai", "deepinfra", "bedrock", "openrouter"}),
        ("gemini-2.5-pro", {"google", "vertex_ai", "openrouter"}),
        ("deepseek-v3.2", {"deepseek", "bedrock", "azure_ai", "openrouter"}),
        ("glm-5", {"zhipu", "together_ai", "bedrock", "openrouter"}),
        ("gpt-oss-120b", {"groq", "cerebras", "bedrock", "openrouter"}),
        ("kimi-k3", {"moonshot", "together_ai", "openrouter"}),
        ("minimax-m3", {"minimax", "together_ai", "openrouter"}),
    ],
)
def test_the_sellers_of_a_model_are_joined(
    newest: Catalogue, model: str, sellers: set[str]
) -> None:
    joined = newest.edition.models[model]

    assert sellers <= {offer.provider for offer in joined.offers}
    assert joined.offers[0].provider == joined.maker or joined.maker not in sellers


def test_every_explicit_flag_of_the_newest_map_is_kept(newest: Catalogue, real_data: Path) -> None:
    body = (real_data / "litellm" / f"{LITELLM[-1]}.json").read_bytes()
    written: dict[str, dict[str, object]] = json.loads(body)
    offers = {
        offer.offer: offer for model in newest.edition.models.values() for offer in model.offers
    }

    said = [
        (entry.source_key, flag, capability, offers[entry.offer])
        for entry in read_litellm(body).entries
        for flag, capability in FLAGS.items()
        if flag in written[entry.source_key]
    ]

    lost = [
        (key, flag)
        for key, flag, capability, offer in said
        if capability not in (offer.capabilities if written[key][flag] else offer.denied)
    ]
    assert len(said) > 8000
    assert lost == []


def test_p3_p4_real_capabilities_are_those_of_the_source(newest: Catalogue) -> None:
    models = newest.edition.models

    for name in ("gemini-2.5-pro", "minimax-m2.5", "gpt-4o-mini", "claude-haiku-4-5"):
        assert Capability.TOOLS in models[name].capabilities, name
    for name in ("claude-sonnet-4-5", "gpt-4.1", "gpt-5", "claude-opus-4-5"):
        assert Capability.VISION in models[name].capabilities, name
    for name in ("text-embedding-3-small", "dall-e-3", "whisper-1"):
        found = newest.find(name)
        assert found is not None
        assert Capability.TOOLS not in found.capabilities, name


def test_r8_no_two_curated_models_are_found_as_one(newest: Catalogue) -> None:
    found = {model: newest.find(model) for model in read_curated_scores()}

    assert all(each is not None and each.model == model for model, each in found.items())


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "mistral", "deepseek"])
def test_the_current_chat_models_of_a_maker_have_a_score(newest: Catalogue, provider: str) -> None:
    sold = [
        model
        for model in newest.edition.models.values()
        if model.maker == provider and model.offers[0].provider == provider and model.quality
    ]

    sources = [model.quality.source for model in sold if model.quality]
    assert len(sold) >= 8
    assert sources.count("curated") >= 5
    assert set(sources) <= {"curated", "heuristic"}


def test_deprecation_dates_of_the_newest_map_take_effect(newest: Catalogue) -> None:
    states = {
        offer.offer: offer.state.name
        for model in newest.edition.models.values()
        for offer in model.offers
    }

    assert states["deepseek/deepseek-chat"] == "DEPRECATED"
    assert states["anthropic/claude-sonnet-4-5"] == "ACTIVE"
    assert 100 < sum(state == "DEPRECATED" for state in states.values()) < len(states) / 4
