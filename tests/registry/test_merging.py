"""What several sources say about one offer."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from steelyard_catalog.litellm import read_litellm
from steelyard_registry.adapters.sources import (
    litellm_facts,
    models_dev_facts,
    openrouter_facts,
)
from steelyard_registry.domain.capabilities import from_flags
from steelyard_registry.domain.feeds import SourceName
from steelyard_registry.domain.merging import PRECEDENCE, merged
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.modes import Capability, Mode
from tests.registry.builders import SEED_TIME, chat, facts_of, listed, openrouter_body

C = Capability
S = SourceName
NEWEST = "litellm/2026-10-21_v1.106.2.json"


def market(models: Mapping[str, Mapping[str, Any]]) -> tuple[Offer, ...]:
    return facts_of(models).offers


def models_dev(**sellers: Mapping[str, Mapping[str, Any]]) -> tuple[Offer, ...]:
    """Return offers of models.dev's catalogue, given as seller -> model -> fields."""
    document = {
        seller: {"models": models, "doc": "https://d"} for seller, models in sellers.items()
    }
    return models_dev_facts(json.dumps(document).encode(), SEED_TIME).offers


def own_list(*models: Mapping[str, Any]) -> tuple[Offer, ...]:
    return openrouter_facts(openrouter_body(*models), SEED_TIME).offers


def custom(provider: str, model: str, **fields: Any) -> Offer:
    (offer,) = market({f"{provider}/{model}": chat(provider)})
    return replace(offer, source=S.CUSTOM, **fields)


def only(offers: Sequence[Offer]) -> Offer:
    (offer,) = offers
    return offer


def test_a_later_source_fills_only_what_is_silent() -> None:
    offer = only(
        merged(
            {
                S.MODELS_DEV: models_dev(
                    openai={
                        "gpt-4o": {
                            "name": "GPT-4o",
                            "tool_call": False,
                            "reasoning": False,
                            "structured_output": True,
                            "release_date": "2024-05-13",
                            "knowledge": "2023-10",
                            "limit": {"context": 64000, "output": 16384},
                            "modalities": {"input": ["text", "image"], "output": ["text"]},
                        }
                    }
                ),
                S.LITELLM: market(
                    {
                        "gpt-4o": chat(
                            "openai",
                            supports_function_calling=True,
                            supports_web_search=False,
                            max_input_tokens=128000,
                        )
                    }
                ),
            }
        )
    )

    assert offer.capabilities == {C.TOOLS, C.VISION, C.STRUCTURED_OUTPUT}
    assert offer.denied == {C.WEB_SEARCH, C.REASONING}
    assert offer.max_input_tokens == 128000
    assert offer.max_output_tokens == 16384
    assert offer.input_modalities == ("text", "image")
    assert offer.output_modalities == ("text",)
    assert offer.display_name == "GPT-4o"
    assert offer.release_date == date(2024, 5, 13)
    assert offer.knowledge_cutoff == date(2023, 10, 1)
    assert offer.source_uri == "https://d"
    assert offer.source == "litellm"
    assert offer.sources == ("litellm", "models.dev")
    assert offer.observed_time == SEED_TIME


def test_of_openrouters_offers_openrouter_knows_most_and_names_all() -> None:
    entries = {
        "openrouter/openai/gpt-4o": chat("openrouter", supports_vision=False, max_output_tokens=9),
        "openrouter/old/gone": chat("openrouter"),
    }

    offers = merged(
        {
            S.LITELLM: market(entries),
            S.OPENROUTER: own_list(listed("openai/gpt-4o", supported_parameters=["tools"])),
            S.MODELS_DEV: models_dev(openrouter={"openai/gpt-4o": {}, "old/stale:free": {}}),
        }
    )

    assert only(offers).capabilities == {C.TOOLS}
    assert only(offers).denied == {C.VISION}
    assert only(offers).max_output_tokens == 9
    assert only(offers).sources == ("openrouter", "litellm", "models.dev")
    assert len(merged({S.LITELLM: market(entries)})) == 2


def test_a_seller_of_the_installations_own_file_sells_what_is_there() -> None:
    own = custom("ollama", "llama3.2:3b", denied=frozenset({C.TOOLS}))
    entries = {
        "ollama/llama3.2:3b": chat("ollama", supports_function_calling=True, max_input_tokens=8192),
        "ollama/llama2": chat("ollama"),
        "gpt-4o": chat("openai"),
    }

    offers = merged({S.LITELLM: market(entries), S.CUSTOM: [own]})

    assert [offer.offer for offer in offers] == ["ollama/llama3.2:3b", "openai/gpt-4o"]
    assert offers[0].sources == ("custom", "litellm")
    assert offers[0].denied == {C.TOOLS}
    assert offers[0].capabilities == frozenset()
    assert offers[0].max_input_tokens == 8192


def test_ids_that_differ_in_case_alone_are_one_offer() -> None:
    offers = merged(
        {
            S.LITELLM: market({"meta_llama/Llama-3.3-70B-Instruct": chat("meta_llama")}),
            S.MODELS_DEV: models_dev(llama={"llama-3.3-70b-instruct": {"tool_call": True}}),
        }
    )

    assert only(offers).offer == "meta/Llama-3.3-70B-Instruct"
    assert only(offers).capabilities == {C.TOOLS}
    assert only(offers).sources == ("litellm", "models.dev")


def test_one_source_may_sell_two_that_differ_in_case() -> None:
    offers = market({"acme/Model": chat("acme"), "acme/model": chat("acme")})

    assert merged({S.LITELLM: offers}) == tuple(
        replace(offer, sources=("litellm",)) for offer in offers
    )


def test_what_only_models_dev_names_is_told_by_its_sources() -> None:
    offers = merged(
        {
            S.LITELLM: market({"gpt-4o": chat("openai")}),
            S.MODELS_DEV: models_dev(poe={"openai/gpt-4o": {}}, openai={"gpt-4o": {}}),
        }
    )

    assert [offer.offer for offer in offers if offer.sources == ("models.dev",)] == [
        "poe/openai/gpt-4o"
    ]


def test_another_kind_of_work_fills_nothing() -> None:
    painter = {"gpt-image-1.5": {"litellm_provider": "openai", "mode": "image_generation"}}

    offer = only(
        merged(
            {
                S.LITELLM: market(painter),
                S.MODELS_DEV: models_dev(
                    openai={"gpt-image-1.5": {"tool_call": True, "name": "GPT Image"}}
                ),
            }
        )
    )

    assert offer.mode is Mode.IMAGE
    assert (offer.capabilities, offer.display_name) == (frozenset(), "")
    assert offer.sources == ("litellm", "models.dev")


def test_modalities_of_one_source_are_brought_in_line_with_the_flags_of_another() -> None:
    offer = only(
        merged(
            {
                S.LITELLM: market(
                    {"gpt-4o": chat("openai", supports_vision=False, supports_audio_input=True)}
                ),
                S.MODELS_DEV: models_dev(
                    openai={"gpt-4o": {"modalities": {"input": ["text", "image", "pdf"]}}}
                ),
            }
        )
    )

    assert offer.input_modalities == ("text", "pdf", "audio")
    assert offer.output_modalities == ()
    assert offer.denied == {C.VISION}


def test_a_deprecated_entry_of_models_dev_says_nothing() -> None:
    gone = {"status": "deprecated", "last_updated": "2024-06-27", "tool_call": True}

    offers = merged(
        {
            S.LITELLM: market({"groq/llama-guard-3-8b": chat("groq")}),
            S.MODELS_DEV: models_dev(
                groq={"llama-guard-3-8b": gone, "gemma2-9b-it": gone, "beta": {"status": "beta"}}
            ),
        }
    )

    assert [offer.offer for offer in offers] == ["groq/llama-guard-3-8b", "groq/beta"]
    assert offers[0].sources == ("litellm",)
    assert offers[0].deprecation_date is None


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"context": 200000, "input": 160000, "output": 64000}, (160000, 64000)),
        ({"context": 200000, "output": 64000}, (200000, 64000)),
        ({"context": 0, "output": 0}, (None, None)),
        ({"context": 99999999, "output": 99999999}, (None, None)),
        ({"context": 10_000_000}, (10_000_000, None)),
        ({"context": 32768, "output": 64000}, (32768, None)),
        ({}, (None, None)),
    ],
)
def test_limits_of_models_dev_are_taken_when_they_can_be_true(
    limit: dict[str, int], expected: tuple[int | None, int | None]
) -> None:
    offer = only(models_dev(acme={"model": {"limit": limit}}))

    assert (offer.max_input_tokens, offer.max_output_tokens) == expected


def test_a_day_of_1970_is_none() -> None:
    offer = only(models_dev(acme={"m": {"release_date": "1970-01-01", "knowledge": "1970-01"}}))

    assert (offer.release_date, offer.knowledge_cutoff) == (None, None)


def test_the_seed_stands_in_for_the_map() -> None:
    seed = [replace(offer, source=S.SEED) for offer in market({"gpt-4o": chat("openai")})]

    offers = merged({S.SEED: seed, S.MODELS_DEV: models_dev(openai={"gpt-4o": {"name": "X"}})})

    assert only(offers).sources == ("seed", "models.dev")
    assert only(offers).display_name == "X"
    assert set(PRECEDENCE) == set(SourceName)


@pytest.fixture(scope="module")
def real(real_data: Path) -> dict[SourceName, tuple[Offer, ...]]:
    body = (real_data / "models_dev" / "api_2026-04-21.json.gz").read_bytes()
    own = (real_data / "openrouter" / "models_2026-08-01.json").read_bytes()
    return {
        S.LITELLM: litellm_facts((real_data / NEWEST).read_bytes(), SEED_TIME).offers,
        S.OPENROUTER: openrouter_facts(own, SEED_TIME).offers,
        S.MODELS_DEV: models_dev_facts(gzip.decompress(body), SEED_TIME).offers,
    }


@pytest.mark.real_data
def test_every_explicit_flag_of_the_map_is_in_the_merged_offer(
    real: dict[SourceName, tuple[Offer, ...]], real_data: Path
) -> None:
    offers = {offer.offer: offer for offer in merged(real)}
    stated = 0
    for entry in read_litellm((real_data / NEWEST).read_bytes()).entries:
        if entry.provider == "openrouter":
            continue
        offer, said = offers[entry.offer], from_flags(entry.fields)
        assert said.granted <= offer.capabilities, entry.source_key
        assert said.denied <= offer.denied, entry.source_key
        stated += len(said.granted) + len(said.denied)
    assert stated > 14_000


@pytest.mark.real_data
def test_the_first_source_of_a_real_offer_keeps_all_that_it_says(
    real: dict[SourceName, tuple[Offer, ...]],
) -> None:
    offers = {offer.offer: offer for offer in merged(real)}

    for source in (S.OPENROUTER, S.LITELLM):
        for said in real[source]:
            offer = offers.get(said.offer)
            if offer is None:
                assert (source, said.provider) == (S.LITELLM, "openrouter")
            elif offer.source == source:
                kept = (offer.model, offer.mode, offer.provider_model, offer.regions)
                assert kept == (said.model, said.mode, said.provider_model, said.regions)
                for field in ("max_input_tokens", "max_output_tokens", "deprecation_date"):
                    value = getattr(said, field)
                    assert value is None or getattr(offer, field) == value, said.offer


@pytest.mark.real_data
def test_real_sources_make_one_offer_per_id_and_contradict_themselves_never(
    real: dict[SourceName, tuple[Offer, ...]],
) -> None:
    offers = merged(real)

    assert len({offer.offer for offer in offers}) == len(offers)
    assert all(offer.capabilities.isdisjoint(offer.denied) for offer in offers)
    assert all(offer.sources[0] == offer.source for offer in offers)
    by_sources = {
        sources: sum(offer.sources == sources for offer in offers)
        for sources in {offer.sources for offer in offers}
    }
    assert by_sources[("litellm", "models.dev")] > 500
    assert by_sources[("openrouter", "models.dev")] > 100
    assert by_sources[("models.dev",)] > 3_000
    assert {offer.provider for offer in offers if offer.source == "openrouter"} == {"openrouter"}
