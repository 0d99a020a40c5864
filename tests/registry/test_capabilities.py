"""Capabilities come from what sources say, never from names."""

import json
from typing import Any

import pytest

from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.models_dev import read_models_dev
from steelyard_registry.domain.capabilities import (
    Abilities,
    from_flags,
    from_models_dev,
    from_statement,
    inputs_in_line,
    outputs_in_line,
)
from steelyard_registry.domain.modes import Capability, Mode
from tests.registry.builders import catalogue_of, chat, listed, litellm_body

C = Capability


@pytest.mark.parametrize(
    ("flag", "capability"),
    [
        ("supports_function_calling", C.TOOLS),
        ("supports_tool_choice", C.TOOL_CHOICE),
        ("supports_parallel_function_calling", C.PARALLEL_TOOLS),
        ("supports_response_schema", C.STRUCTURED_OUTPUT),
        ("supports_native_structured_output", C.STRUCTURED_OUTPUT),
        ("supports_vision", C.VISION),
        ("supports_image_input", C.VISION),
        ("supports_pdf_input", C.PDF_INPUT),
        ("supports_audio_input", C.AUDIO_INPUT),
        ("supports_audio_output", C.AUDIO_OUTPUT),
        ("supports_video_input", C.VIDEO_INPUT),
        ("supports_reasoning", C.REASONING),
        ("supports_prompt_caching", C.PROMPT_CACHING),
        ("supports_web_search", C.WEB_SEARCH),
        ("supports_computer_use", C.COMPUTER_USE),
        ("supports_system_messages", C.SYSTEM_MESSAGES),
        ("supports_assistant_prefill", C.ASSISTANT_PREFILL),
        ("supports_native_streaming", C.STREAMING),
    ],
)
def test_r14_each_flag_of_the_source_grants_or_denies_one_capability(
    flag: str, capability: Capability
) -> None:
    yes, no, silent = from_flags({flag: True}), from_flags({flag: False}), from_flags({})

    assert yes == Abilities(frozenset({capability}), frozenset())
    assert no == Abilities(frozenset(), frozenset({capability}))
    assert silent == Abilities(frozenset(), frozenset())


@pytest.mark.parametrize("value", ["true", 1, None, [], "yes"])
def test_a_flag_of_an_odd_type_says_nothing(value: object) -> None:
    assert from_flags({"supports_vision": value}) == Abilities(frozenset(), frozenset())


def test_modalities_grant_where_no_flag_speaks_and_never_overrule_one() -> None:
    lists = {
        "supported_modalities": ["text", "image", "audio"],
        "supported_output_modalities": ["text", "image"],
    }

    assert from_flags(lists).granted == {C.VISION, C.AUDIO_INPUT, C.IMAGE_OUTPUT}
    assert from_flags(lists | {"supports_vision": False}).granted == {
        C.AUDIO_INPUT,
        C.IMAGE_OUTPUT,
    }


def test_openrouter_grants_by_parameters_and_modalities() -> None:
    model = listed(
        "openai/gpt-4o",
        supported_parameters=["tools", "tool_choice", "structured_outputs", "seed"],
        architecture={"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
    )

    (offer,) = catalogue_of({}, openrouter=[model]).edition.models["gpt-4o"].offers

    assert offer.capabilities == {
        C.TOOLS,
        C.TOOL_CHOICE,
        C.STRUCTURED_OUTPUT,
        C.VISION,
        C.PDF_INPUT,
    }
    assert offer.denied == frozenset()


def models_dev(**fields: Any) -> Abilities:
    (entry,) = read_models_dev(json.dumps({"acme": {"models": {"m": fields}}}).encode()).entries
    return from_models_dev(entry)


@pytest.mark.parametrize(
    ("flag", "capability"),
    [
        ("tool_call", C.TOOLS),
        ("reasoning", C.REASONING),
        ("structured_output", C.STRUCTURED_OUTPUT),
    ],
)
def test_each_flag_of_models_dev_grants_or_denies(flag: str, capability: Capability) -> None:
    yes, no, silent = models_dev(**{flag: True}), models_dev(**{flag: False}), models_dev()

    assert yes == Abilities(frozenset({capability}), frozenset())
    assert no == Abilities(frozenset(), frozenset({capability}))
    assert silent == Abilities(frozenset(), frozenset())


def test_modalities_of_models_dev_grant_and_never_deny() -> None:
    every = {"input": ["text", "image", "pdf", "audio", "video"], "output": ["text", "audio"]}

    assert models_dev(modalities=every).granted == {
        C.VISION,
        C.PDF_INPUT,
        C.AUDIO_INPUT,
        C.VIDEO_INPUT,
        C.AUDIO_OUTPUT,
    }
    assert models_dev(modalities={"input": ["text"], "output": ["text"]}) == models_dev()


def test_a_statement_of_a_person_is_completed_by_modalities() -> None:
    said = from_statement([C.TOOLS], [C.VISION], ["text", "image", "audio"])

    assert said == Abilities(frozenset({C.TOOLS, C.AUDIO_INPUT}), frozenset({C.VISION}))


def test_modalities_are_brought_in_line_with_flags() -> None:
    said = Abilities(
        granted=frozenset({C.VISION, C.PDF_INPUT, C.AUDIO_OUTPUT, C.TOOLS}),
        denied=frozenset({C.VIDEO_INPUT, C.IMAGE_OUTPUT}),
    )

    assert inputs_in_line(["text", "video"], said) == ("text", "pdf", "image")
    assert inputs_in_line(["text", "file", "image"], said) == ("text", "file", "image")
    assert outputs_in_line(["text", "image"], said) == ("text", "audio")
    assert inputs_in_line([], said) == outputs_in_line([], said) == ()


@pytest.mark.parametrize(
    "name", ["gemini-2.5-flash", "minimax-m2.5", "gpt-4o-mini", "o3-mini", "claude-haiku-4-5"]
)
def test_p3_a_mini_in_the_name_takes_no_capability_away(name: str) -> None:
    flags = {"supports_function_calling": True, "supports_response_schema": True}

    model = catalogue_of({name: chat("openai", **flags)}).edition.models[name]

    assert model.capabilities == {C.TOOLS, C.STRUCTURED_OUTPUT}
    assert model.offers[0].denied == frozenset()


def test_p4_a_name_grants_nothing_either() -> None:
    body = litellm_body(
        {
            "dall-e-3": {"litellm_provider": "openai", "mode": "image_generation"},
            "text-embedding-3-small": {"litellm_provider": "openai", "mode": "embedding"},
            "whisper-1": {"litellm_provider": "openai", "mode": "audio_transcription"},
            "claude-3-5-sonnet-20241022": chat("anthropic", supports_vision=True),
        }
    )

    granted = {
        entry.provider_model: from_flags(entry.fields).granted
        for entry in read_litellm(body).entries
    }

    assert granted == {
        "dall-e-3": frozenset(),
        "text-embedding-3-small": frozenset(),
        "whisper-1": frozenset(),
        "claude-3-5-sonnet-20241022": {C.VISION},
    }


def test_a_model_can_what_at_least_one_of_its_offers_can() -> None:
    model = catalogue_of(
        {
            "gpt-4o": chat("openai", supports_vision=True),
            "azure/gpt-4o": chat("azure", supports_vision=False, supports_function_calling=True),
        }
    ).edition.models["gpt-4o"]

    assert model.capabilities == {C.VISION, C.TOOLS}
    assert model.mode is Mode.CHAT
