"""What an entry sells, whatever its source calls it."""

import json
from pathlib import Path

import pytest

from steelyard_catalog.fields import texts
from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.modes import checked_mode, mode_of_outputs
from steelyard_catalog.openrouter import read_openrouter
from steelyard_pricing.adapters.litellm_fields import MODES
from steelyard_pricing.adapters.litellm_prices import parse_litellm
from steelyard_pricing.adapters.openrouter_prices import parse_openrouter
from steelyard_registry.adapters.sources import litellm_facts, openrouter_facts
from steelyard_registry.domain.modes import mode_of
from tests.fakes import START

MAPS = (
    "2023-12-14_v1.14.4.json",
    "2025-11-09_v1.79.3.json",
    "2026-02-26_v1.81.16.json",
    "2026-08-09_v1.92.2.json",
    "2026-10-21_v1.106.2.json",
)
LISTS = ("models_2025-05-23.json", "models_2026-07-17.json", "models_2026-08-01.json")
FIREWORKS = "fireworks_ai/accounts/fireworks/models"
WRONGLY_CHAT = {
    "google/gemini-2.5-pro-preview-tts": "audio_speech",
    "google/lyria-3-clip-preview": "audio_speech",
    "google/lyria-3-pro-preview": "audio_speech",
    "google/lyria-3.5": "audio_speech",
    "google/lyria-3.5-clip-preview": "audio_speech",
    "google/lyria-3.5-pro-preview": "audio_speech",
    "google/lyria-realtime-exp": "audio_speech",
    "vertex_ai/gemini-2.5-pro-preview-tts": "audio_speech",
    f"{FIREWORKS}/flux-1-dev": "image_generation",
    f"{FIREWORKS}/flux-1-dev-controlnet-union": "image_generation",
    f"{FIREWORKS}/flux-1-schnell": "image_generation",
    "vercel_ai_gateway/amazon/titan-embed-text-v2": "embedding",
    "vercel_ai_gateway/cohere/embed-v4.0": "embedding",
    "vercel_ai_gateway/mistral/codestral-embed": "embedding",
    "vercel_ai_gateway/mistral/mistral-embed": "embedding",
}


@pytest.mark.parametrize(
    ("claimed", "name", "outputs", "mode"),
    [
        ("chat", "gpt-4o", (), "chat"),
        ("chat", "gpt-4o-audio", ("text", "audio"), "chat"),
        ("chat", "lyria-3", ("audio",), "audio_speech"),
        ("chat", "painter", ("image",), "image_generation"),
        ("chat", "painter", ("image", "text"), "chat"),
        ("chat", "thinker", ("tensors",), "other"),
        ("chat", "accounts/fireworks/models/flux-1-dev", (), "image_generation"),
        ("chat", "black-forest-labs/FLUX.1-schnell", ("text",), "image_generation"),
        ("chat", "influx-7b", (), "chat"),
        ("chat", "flux/llama-3-8b", (), "chat"),
        ("chat", "mistral/codestral-embed", (), "embedding"),
        ("chat", "embedded-llama", (), "chat"),
        ("completion", "flux-1-dev", (), "completion"),
        ("image_edit", "flux-kontext", (), "image_edit"),
        ("responses", "lyria", ("audio",), "responses"),
        ("", "flux-1-dev", (), ""),
    ],
)
def test_a_claim_to_chat_falls_to_evidence_and_others_stay(
    claimed: str, name: str, outputs: tuple[str, ...], mode: str
) -> None:
    assert checked_mode(claimed, provider_model=name, outputs=outputs) == mode


@pytest.mark.parametrize(
    "outputs", [(), ("text",), ("audio",), ("embeddings",), ("image",), ("video",), ("tensors",)]
)
def test_pricing_and_registry_mean_the_same_by_every_output(outputs: tuple[str, ...]) -> None:
    word = mode_of_outputs(outputs)

    assert MODES.get(word, MODES["chat"].OTHER) == int(mode_of(word))


@pytest.mark.real_data
def test_of_the_real_map_these_offers_alone_are_put_right(real_data: Path) -> None:
    body = (real_data / "litellm" / MAPS[-1]).read_bytes()
    claimed = {key: entry.get("mode", "") for key, entry in json.loads(body).items()}

    corrected = {
        entry.offer: (claimed[entry.source_key], entry.mode)
        for entry in read_litellm(body).entries
        if entry.mode != claimed[entry.source_key]
    }

    assert corrected == {offer: ("chat", mode) for offer, mode in WRONGLY_CHAT.items()}


@pytest.mark.real_data
@pytest.mark.parametrize("name", MAPS)
def test_in_every_real_map_what_is_put_right_writes_no_text(real_data: Path, name: str) -> None:
    body = (real_data / "litellm" / name).read_bytes()
    claimed = {key: entry.get("mode", "") for key, entry in json.loads(body).items()}
    entries = read_litellm(body).entries
    elsewhere = {entry.provider_model.rpartition("/")[2].lower(): entry.mode for entry in entries}

    for entry in entries:
        if entry.mode == claimed[entry.source_key]:
            continue
        model = entry.provider_model.rpartition("/")[2]
        outputs = texts(entry.fields, "supported_output_modalities")
        has_no_text = bool(outputs) and "text" not in outputs
        has_no_output = entry.fields.get("max_output_tokens") == 0
        twin = elsewhere.get(f"{model.removesuffix('-controlnet-union')}-fp8")
        assert has_no_text or has_no_output or twin == "image_generation", entry.offer


@pytest.mark.real_data
@pytest.mark.parametrize("name", MAPS)
def test_pricing_and_registry_agree_on_every_offer_of_a_real_map(
    real_data: Path, name: str
) -> None:
    body = (real_data / "litellm" / name).read_bytes()

    priced = {fact.offer: int(fact.mode) for fact in parse_litellm(body).facts}
    listed = {offer.offer: int(offer.mode) for offer in litellm_facts(body, START).offers}

    assert priced == listed


@pytest.mark.real_data
@pytest.mark.parametrize("name", LISTS)
def test_pricing_and_registry_agree_on_every_offer_of_a_real_list(
    real_data: Path, name: str
) -> None:
    body = (real_data / "openrouter" / name).read_bytes()

    priced = {fact.offer: int(fact.mode) for fact in parse_openrouter(body).facts}
    listed = {offer.offer: int(offer.mode) for offer in openrouter_facts(body, START).offers}

    assert {offer: priced[offer] for offer in listed} == listed
    assert {entry.mode for entry in read_openrouter(body).entries} == {"chat"}
