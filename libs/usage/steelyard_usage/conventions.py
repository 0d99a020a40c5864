"""From a body to a usage, by the convention that its provider counts by."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from steelyard_usage.anthropic import read_messages
from steelyard_usage.bedrock import read_converse
from steelyard_usage.cohere import read_cohere
from steelyard_usage.gemini import read_generate_content
from steelyard_usage.ollama import read_ollama
from steelyard_usage.openai import read_chat, read_responses, read_xai
from steelyard_usage.provider_usage import ProviderUsage
from steelyard_usage.untrusted import Section


class Convention(StrEnum):
    """How a wire format counts."""

    OPENAI_CHAT = "openai_chat"
    """Also Groq, DeepSeek, Mistral, Moonshot, Qwen, Zhipu, MiniMax, Cerebras, Together, Fireworks,
    Perplexity, OpenRouter, and the compatible endpoints of all others."""
    OPENAI_RESPONSES = "openai_responses"
    ANTHROPIC_MESSAGES = "anthropic_messages"
    """Also Claude on Bedrock and Vertex in its own format, and MiniMax."""
    GEMINI = "gemini"
    BEDROCK_CONVERSE = "bedrock_converse"
    COHERE = "cohere"
    XAI_CHAT = "xai_chat"
    OLLAMA = "ollama"


_READERS: Mapping[Convention, Callable[[Section], ProviderUsage | None]] = MappingProxyType(
    {
        Convention.OPENAI_CHAT: read_chat,
        Convention.OPENAI_RESPONSES: read_responses,
        Convention.ANTHROPIC_MESSAGES: read_messages,
        Convention.GEMINI: read_generate_content,
        Convention.BEDROCK_CONVERSE: read_converse,
        Convention.COHERE: read_cohere,
        Convention.XAI_CHAT: read_xai,
        Convention.OLLAMA: read_ollama,
    }
)


def normalise(convention: Convention, body: object) -> ProviderUsage | None:
    """Return what a response used; None when it does not tell, which is not the same as nothing.

    Args:
        convention: How the provider counts.
        body: The JSON object of the usage alone, parsed; `usage_body` finds it in a response.

    Raises:
        UsageFormatError: The body is not what the provider documents.
    """
    return _READERS[convention](Section(body))
