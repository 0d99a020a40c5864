"""What an offer can and cannot do, from what its source says in so many words."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from steelyard_catalog.fields import flag, texts
from steelyard_catalog.models_dev import ModelsDevEntry
from steelyard_catalog.openrouter import OpenRouterEntry
from steelyard_registry.domain.modes import Capability

# The first flag of a capability that says anything decides.
_FLAGS: dict[Capability, tuple[str, ...]] = {
    Capability.TOOLS: ("supports_function_calling",),
    Capability.TOOL_CHOICE: ("supports_tool_choice",),
    Capability.PARALLEL_TOOLS: ("supports_parallel_function_calling",),
    Capability.STRUCTURED_OUTPUT: (
        "supports_response_schema",
        "supports_native_structured_output",
    ),
    Capability.VISION: ("supports_vision", "supports_image_input"),
    Capability.PDF_INPUT: ("supports_pdf_input",),
    Capability.AUDIO_INPUT: ("supports_audio_input",),
    Capability.AUDIO_OUTPUT: ("supports_audio_output",),
    Capability.VIDEO_INPUT: ("supports_video_input",),
    Capability.REASONING: ("supports_reasoning",),
    Capability.PROMPT_CACHING: ("supports_prompt_caching",),
    Capability.WEB_SEARCH: ("supports_web_search",),
    Capability.COMPUTER_USE: ("supports_computer_use",),
    Capability.SYSTEM_MESSAGES: ("supports_system_messages",),
    Capability.ASSISTANT_PREFILL: ("supports_assistant_prefill",),
    Capability.STREAMING: ("supports_native_streaming",),
}
_INPUTS = {
    "audio": Capability.AUDIO_INPUT,
    "file": Capability.PDF_INPUT,
    "image": Capability.VISION,
    "pdf": Capability.PDF_INPUT,
    "video": Capability.VIDEO_INPUT,
}
_OUTPUTS = {"audio": Capability.AUDIO_OUTPUT, "image": Capability.IMAGE_OUTPUT}
_PARAMETERS = {
    "include_reasoning": Capability.REASONING,
    "parallel_tool_calls": Capability.PARALLEL_TOOLS,
    "reasoning": Capability.REASONING,
    "structured_outputs": Capability.STRUCTURED_OUTPUT,
    "tool_choice": Capability.TOOL_CHOICE,
    "tools": Capability.TOOLS,
    "web_search_options": Capability.WEB_SEARCH,
}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a source grants and what it denies; about the rest it is silent."""

    granted: frozenset[Capability]
    denied: frozenset[Capability]


def from_flags(fields: Mapping[str, object]) -> Abilities:
    """Read LiteLLM's `supports_*` flags, and its modalities where a flag is missing."""
    said = {
        capability: answer
        for capability, names in _FLAGS.items()
        if (answer := _first_answer(fields, names)) is not None
    }
    shown = _of(texts(fields, "supported_modalities"), _INPUTS)
    shown |= _of(texts(fields, "supported_output_modalities"), _OUTPUTS)
    granted = {capability for capability, answer in said.items() if answer}
    denied = {capability for capability, answer in said.items() if not answer}
    return Abilities(frozenset(granted | (shown - denied)), frozenset(denied))


def from_openrouter(entry: OpenRouterEntry) -> Abilities:
    """Read OpenRouter's parameters and modalities, which grant and never deny."""
    granted = _of(entry.supported_parameters, _PARAMETERS)
    granted |= _of(entry.input_modalities, _INPUTS) | _of(entry.output_modalities, _OUTPUTS)
    return Abilities(frozenset(granted), frozenset())


def from_models_dev(entry: ModelsDevEntry) -> Abilities:
    """Read models.dev's three flags, of which a false one denies, and its modalities."""
    said = {
        Capability.TOOLS: entry.has_tools,
        Capability.REASONING: entry.has_reasoning,
        Capability.STRUCTURED_OUTPUT: entry.has_structured_output,
    }
    granted = {capability for capability, answer in said.items() if answer}
    granted |= _of(entry.input_modalities, _INPUTS) | _of(entry.output_modalities, _OUTPUTS)
    denied = {capability for capability, answer in said.items() if answer is False}
    return Abilities(frozenset(granted), frozenset(denied))


def from_statement(
    granted: Collection[Capability], denied: Collection[Capability], inputs: Collection[str]
) -> Abilities:
    """Take what a person wrote down; modalities grant where they did not deny."""
    shown = _of(inputs, _INPUTS) - set(denied)
    return Abilities(frozenset(granted) | shown, frozenset(denied))


def inputs_in_line(words: Sequence[str], abilities: Abilities) -> tuple[str, ...]:
    """Return input modalities without those that are denied and with those that are granted.

    For a list of one source beside the flags of another; an empty one stays empty.
    """
    return _in_line(words, abilities, _INPUTS)


def outputs_in_line(words: Sequence[str], abilities: Abilities) -> tuple[str, ...]:
    """Return output modalities, as `inputs_in_line` does."""
    return _in_line(words, abilities, _OUTPUTS)


def _in_line(
    words: Sequence[str], abilities: Abilities, table: Mapping[str, Capability]
) -> tuple[str, ...]:
    kept = [word for word in words if table.get(word) not in abilities.denied]
    shown = _of(kept, table)
    missing = {
        capability: word
        for word, capability in table.items()
        if capability in abilities.granted - shown
    }
    return (*kept, *missing.values()) if words else ()


def _first_answer(fields: Mapping[str, object], names: Iterable[str]) -> bool | None:
    return next((answer for name in names if (answer := flag(fields, name)) is not None), None)


def _of(words: Collection[str], table: Mapping[str, Capability]) -> set[Capability]:
    return {table[word] for word in words if word in table}
