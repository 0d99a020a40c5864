"""Where a response, or one event of a stream, keeps its usage."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from steelyard_usage.conventions import Convention
from steelyard_usage.untrusted import Section, UsageFormatError, UsageProblem

_Path = tuple[str, ...]

_OPENAI_CHAT: Final[tuple[_Path, ...]] = (("usage",), ("x_groq", "usage"))
_PLACES: Mapping[Convention, tuple[_Path, ...]] = MappingProxyType(
    {
        Convention.OPENAI_CHAT: _OPENAI_CHAT,
        Convention.OPENAI_RESPONSES: (("usage",), ("response", "usage")),
        Convention.ANTHROPIC_MESSAGES: (("usage",), ("message", "usage")),
        Convention.GEMINI: (("usageMetadata",),),
        Convention.BEDROCK_CONVERSE: (("usage",), ("metadata", "usage")),
        Convention.COHERE: (("usage",), ("meta",), ("delta", "usage")),
        Convention.XAI_CHAT: _OPENAI_CHAT,
        Convention.OLLAMA: ((),),
    }
)


def usage_body(convention: Convention, response: object) -> object:
    """Return the part of a response or an event that tells the usage, None when there is none."""
    for path in _PLACES[convention]:
        value: object = response
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            return value
    return None


def merged(bodies: Iterable[object]) -> dict[object, object] | None:
    """Return one body for the bodies of a stream, None when none of them tells anything.

    Streams tell running totals, so of two counts with the same name the later one holds and nothing
    is added. Anthropic names the prompt in its first event alone, Gemini leaves out what did not
    change, OpenAI sends null until the end: what is not named again stays.

    Raises:
        UsageFormatError: One of them is no object.
    """
    result: dict[object, object] = {}
    for body in bodies:
        if body is None:
            continue
        if not isinstance(body, Mapping):
            raise UsageFormatError("usage", UsageProblem.NOT_AN_OBJECT)
        result.update((name, value) for name, value in body.items() if value is not None)
        Section(result)  # as large as a body may be, and no larger
    return result or None
