"""Which field of LiteLLM's map is which component, service tier and context band."""

import re
from dataclasses import dataclass

from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.modes import Capability, Mode
from steelyard_pricing.domain.rates import STANDARD_TIER

COMPONENTS: dict[str, Component] = {
    "input_cost_per_token": Component.INPUT_TOKEN,
    "cache_read_input_token_cost": Component.CACHE_READ_TOKEN,
    "input_cost_per_token_cache_hit": Component.CACHE_READ_TOKEN,
    "cache_creation_input_token_cost": Component.CACHE_WRITE_TOKEN,
    "cache_creation_input_token_cost_above_1hr": Component.CACHE_WRITE_1H_TOKEN,
    "output_cost_per_token": Component.OUTPUT_TOKEN,
    "output_cost_per_reasoning_token": Component.REASONING_TOKEN,
    "input_cost_per_audio_token": Component.AUDIO_INPUT_TOKEN,
    "output_cost_per_audio_token": Component.AUDIO_OUTPUT_TOKEN,
    "cache_read_input_audio_token_cost": Component.AUDIO_CACHE_READ_TOKEN,
    "input_cost_per_image_token": Component.IMAGE_INPUT_TOKEN,
    "output_cost_per_image_token": Component.IMAGE_OUTPUT_TOKEN,
    "input_cost_per_video_token": Component.VIDEO_INPUT_TOKEN,
    "output_cost_per_video_token": Component.VIDEO_OUTPUT_TOKEN,
    "input_cost_per_request": Component.REQUEST,
    "input_cost_per_image": Component.INPUT_IMAGE,
    "output_cost_per_image": Component.OUTPUT_IMAGE,
    # One component for sound and film: where their prices differ, the dearer one is kept.
    "input_cost_per_second": Component.INPUT_SECOND,
    "input_cost_per_audio_per_second": Component.INPUT_SECOND,
    "input_cost_per_video_per_second": Component.INPUT_SECOND,
    "output_cost_per_second": Component.OUTPUT_SECOND,
    "output_cost_per_video_per_second": Component.OUTPUT_SECOND,
    "input_cost_per_character": Component.INPUT_CHARACTER,
    "output_cost_per_character": Component.OUTPUT_CHARACTER,
    "input_cost_per_pixel": Component.INPUT_PIXEL,
    "output_cost_per_pixel": Component.OUTPUT_PIXEL,
    "input_cost_per_query": Component.QUERY,
    "ocr_cost_per_page": Component.PAGE,
}

MODES: dict[str, Mode] = {
    "": Mode.UNSPECIFIED,
    "chat": Mode.CHAT,
    "responses": Mode.CHAT,
    "completion": Mode.COMPLETION,
    "embedding": Mode.EMBEDDING,
    "rerank": Mode.RERANK,
    "image_generation": Mode.IMAGE,
    "image_edit": Mode.IMAGE,
    "video_generation": Mode.VIDEO,
    "audio_transcription": Mode.TRANSCRIPTION,
    "audio_speech": Mode.SPEECH,
    "moderation": Mode.MODERATION,
    "realtime": Mode.REALTIME,
    "ocr": Mode.OCR,
    "search": Mode.SEARCH,
}
"""Modes that are not listed are OTHER."""

CAPABILITIES: dict[str, Capability] = {
    "supports_function_calling": Capability.TOOLS,
    "supports_tool_choice": Capability.TOOL_CHOICE,
    "supports_parallel_function_calling": Capability.PARALLEL_TOOLS,
    "supports_response_schema": Capability.STRUCTURED_OUTPUT,
    "supports_native_structured_output": Capability.STRUCTURED_OUTPUT,
    "supports_vision": Capability.VISION,
    "supports_pdf_input": Capability.PDF_INPUT,
    "supports_audio_input": Capability.AUDIO_INPUT,
    "supports_audio_output": Capability.AUDIO_OUTPUT,
    "supports_video_input": Capability.VIDEO_INPUT,
    "supports_reasoning": Capability.REASONING,
    "supports_prompt_caching": Capability.PROMPT_CACHING,
    "supports_web_search": Capability.WEB_SEARCH,
    "supports_computer_use": Capability.COMPUTER_USE,
    "supports_system_messages": Capability.SYSTEM_MESSAGES,
    "supports_assistant_prefill": Capability.ASSISTANT_PREFILL,
    "supports_native_streaming": Capability.STREAMING,
}

_TIERS = {"batches": "batch"}
# The longest name first: `output_cost_per_image_token` is no tier of `output_cost_per_image`.
_FIELD = re.compile(
    f"({'|'.join(sorted(COMPONENTS, key=len, reverse=True))})"
    r"(?:_above_(\d{1,6})k_tokens)?(?:_([A-Za-z0-9.]{1,24}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PriceField:
    """What a field prices."""

    component: Component
    service_tier: str
    above_prompt_tokens: int


def price_field(name: str) -> PriceField | None:
    """Return what a field prices; None for fields that are no prices that we know."""
    match = _FIELD.fullmatch(name)
    if match is None:
        return None
    base, thousands, tier = match.groups()
    return PriceField(
        COMPONENTS[base],
        _TIERS.get(tier, tier) if tier else STANDARD_TIER,
        int(thousands) * 1000 if thousands else 0,
    )
