"""Capabilities that are guessed from other sellers of the same weights."""

import gzip
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from steelyard_catalog.families import maker_of
from steelyard_registry.adapters.sources import litellm_facts, models_dev_facts
from steelyard_registry.domain.feeds import SourceName
from steelyard_registry.domain.inference import INFERRED, inferred
from steelyard_registry.domain.merging import merged
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.modes import Capability
from tests.registry.builders import SEED_TIME, chat, facts_of

C = Capability
SEES: dict[str, Any] = {"supports_vision": True}
BLIND: dict[str, Any] = {"supports_vision": False}


def offers_of(model: str, **sellers: dict[str, Any]) -> list[Offer]:
    """Return offers of one model by seller, the flags given."""
    makers = {"openai", "anthropic", "mistral"}
    return list(
        facts_of(
            {
                (model if seller in makers else f"{seller}/{model}"): chat(seller, **flags)
                for seller, flags in sellers.items()
            }
        ).offers
    )


def guessed(offers: list[Offer], provider: str) -> frozenset[Capability]:
    (offer,) = (each for each in offers if each.provider == provider)
    return inferred(offer, offers)


def test_what_the_makers_own_offer_can_the_others_probably_can() -> None:
    offers = offers_of("gpt-4o", openai=SEES, azure={})

    assert guessed(offers, "azure") == {C.VISION}
    assert guessed(offers, "openai") == frozenset()


def test_what_a_source_says_of_the_offer_itself_is_never_guessed() -> None:
    denied = offers_of("gpt-4o", openai=SEES, azure=BLIND)
    granted = offers_of("gpt-4o", openai=SEES, azure=SEES)

    assert guessed(denied, "azure") == frozenset()
    assert guessed(granted, "azure") == frozenset()


def test_the_maker_decides_against_any_number_of_others() -> None:
    silent = offers_of("gpt-4o", openai={}, azure={}, replicate=SEES, deepinfra=SEES)
    denying = offers_of("gpt-4o", openai=BLIND, azure={}, replicate=SEES, deepinfra=SEES)

    assert guessed(silent, "azure") == frozenset()
    assert guessed(denying, "azure") == frozenset()


def test_where_the_maker_sells_none_two_other_sellers_have_to_agree() -> None:
    model = "llama-3.3-70b-instruct"
    one = offers_of(model, groq={}, deepinfra=SEES)
    two = offers_of(model, groq={}, deepinfra=SEES, together_ai=SEES)
    split = offers_of(model, groq={}, deepinfra=SEES, together_ai=SEES, replicate=BLIND)

    assert guessed(one, "groq") == frozenset()
    assert guessed(two, "groq") == {C.VISION}
    assert guessed(split, "groq") == frozenset()


def test_two_offers_of_one_seller_are_one_witness() -> None:
    groq, *_ = offers_of("llama-3.3-70b-instruct", groq={})
    twice = facts_of(
        {
            "deepinfra/meta-llama/Llama-3.3-70B-Instruct": chat("deepinfra", **SEES),
            "deepinfra/llama-3.3-70b-instruct": chat("deepinfra", **SEES),
        }
    ).offers
    assert {each.model for each in twice} == {groq.model}

    assert inferred(groq, twice) == frozenset()


def test_another_model_or_kind_of_work_is_no_witness() -> None:
    azure, *_ = offers_of("gpt-4o", azure={})
    other_model = offers_of("gpt-4o-mini", openai=SEES)
    other_mode = facts_of(
        {"gpt-4o": {"litellm_provider": "openai", "mode": "completion", **SEES}}
    ).offers

    assert inferred(azure, [*other_model, *other_mode]) == frozenset()


def test_services_of_a_seller_stay_with_the_seller() -> None:
    everything = {
        "supports_function_calling": True,
        "supports_prompt_caching": True,
        "supports_web_search": True,
        "supports_native_streaming": True,
        "supports_response_schema": True,
        "supports_pdf_input": True,
        "supports_tool_choice": True,
        "supports_system_messages": True,
        "supports_computer_use": True,
        "supports_audio_output": True,
        "supports_audio_input": True,
        "supports_video_input": True,
        "supports_reasoning": True,
        "supports_vision": True,
    }

    assert guessed(offers_of("gpt-4o", openai=everything, azure={}), "azure") == INFERRED


def test_a_guess_is_no_evidence() -> None:
    first, second = offers_of("gpt-4o", azure={}, replicate={})

    assert inferred(first, [second]) == frozenset()
    assert first.inferred == frozenset()


@pytest.mark.real_data
def test_hidden_statements_of_real_offers_are_guessed_right(real_data: Path) -> None:
    market = litellm_facts(
        (real_data / "litellm" / "2026-10-21_v1.106.2.json").read_bytes(), SEED_TIME
    )
    third = models_dev_facts(
        gzip.decompress((real_data / "models_dev" / "api_2026-04-21.json.gz").read_bytes()),
        SEED_TIME,
    )
    offers = merged({SourceName.LITELLM: market.offers, SourceName.MODELS_DEV: third.offers})
    right: dict[Capability, list[bool]] = {capability: [] for capability in INFERRED}
    by_model = sorted(offers, key=lambda offer: (offer.model, offer.mode))
    for (model, _), group in groupby(by_model, key=lambda offer: (offer.model, offer.mode)):
        siblings = list(group)
        for offer in siblings:
            if offer.provider == maker_of(model):
                continue
            for capability in INFERRED & (offer.capabilities | offer.denied):
                if capability in inferred(_silenced(offer), siblings):
                    right[capability].append(capability in offer.capabilities)

    assert sum(map(len, right.values())) > 5_000
    shares = {capability: sum(answers) / len(answers) for capability, answers in right.items()}
    assert min(shares.values()) > 0.85
    assert shares[C.VISION] > 0.97


def _silenced(offer: Offer) -> Offer:
    return Offer(
        offer=offer.offer,
        provider=offer.provider,
        provider_model=offer.provider_model,
        model=offer.model,
        mode=offer.mode,
        capabilities=frozenset(),
        denied=frozenset(),
        source=offer.source,
        observed_time=offer.observed_time,
    )
