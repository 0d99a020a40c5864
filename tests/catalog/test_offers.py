"""Offer ids and the sellers behind LiteLLM's names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_catalog.offers import offer_id, split_offer
from steelyard_catalog.providers import provider_id, provider_model


def test_the_provider_of_an_offer_ends_at_the_first_slash() -> None:
    assert split_offer("groq/openai/gpt-oss-20b") == ("groq", "openai/gpt-oss-20b")


@given(
    st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True),
    st.from_regex(r"[\w.:/@+-]{1,40}", fullmatch=True),
)
def test_splitting_undoes_joining(provider: str, model: str) -> None:
    assert split_offer(offer_id(provider, model)) == (provider, model)


@pytest.mark.parametrize("offer", ["", "gpt-4o", "/gpt-4o", "openai/"])
def test_what_is_no_offer_id_is_refused(offer: str) -> None:
    with pytest.raises(ValueError, match="not an offer id"):
        split_offer(offer)


@pytest.mark.parametrize(
    ("litellm_provider", "provider"),
    [
        ("gemini", "google"),
        ("dashscope", "qwen"),
        ("zai", "zhipu"),
        ("meta_llama", "meta"),
        ("meta", "meta"),
        ("cohere_chat", "cohere"),
        ("text-completion-openai", "openai"),
        ("azure_text", "azure"),
        ("bedrock_converse", "bedrock"),
        ("vertex_ai-anthropic_models", "vertex_ai"),
        ("vertex_ai", "vertex_ai"),
        ("fireworks_ai-embedding-models", "fireworks_ai"),
        # Another address than Mistral's own API: another seller.
        ("codestral", "codestral"),
        ("text-completion-codestral", "text-completion-codestral"),
        ("groq", "groq"),
        ("minimax", "minimax"),
    ],
)
def test_names_of_one_seller_become_one_provider(litellm_provider: str, provider: str) -> None:
    assert provider_id(litellm_provider) == provider


@pytest.mark.parametrize(
    ("litellm_provider", "key", "model"),
    [
        ("gemini", "gemini/gemini-2.5-pro", "gemini-2.5-pro"),
        ("groq", "groq/openai/gpt-oss-20b", "openai/gpt-oss-20b"),
        ("openai", "gpt-4o", "gpt-4o"),
        ("openai", "low/1024-x-1024/gpt-image-1.5", "low/1024-x-1024/gpt-image-1.5"),
        ("amazon_nova", "amazon-nova/nova-micro-v1", "nova-micro-v1"),
        ("vertex_ai-llama_models", "vertex_ai/meta/llama-4-scout", "meta/llama-4-scout"),
        ("bedrock_converse", "us.anthropic.claude-opus-4-7", "us.anthropic.claude-opus-4-7"),
        ("bedrock", "bedrock/us-east-1/anthropic.claude-v1", "us-east-1/anthropic.claude-v1"),
        ("openrouter", "openrouter/openrouter/auto", "openrouter/auto"),
    ],
)
def test_only_the_sellers_own_prefix_is_taken_off_a_key(
    litellm_provider: str, key: str, model: str
) -> None:
    assert provider_model(litellm_provider, key) == model


@pytest.mark.parametrize(
    ("litellm_provider", "key", "offer"),
    [
        ("groq", "groq/openai/gpt-oss-20b", "groq/openai/gpt-oss-20b"),
        ("openrouter", "openrouter/openai/gpt-4o", "openrouter/openai/gpt-4o"),
        ("deepinfra", "deepinfra/deepseek-ai/DeepSeek-V3.1", "deepinfra/deepseek-ai/DeepSeek-V3.1"),
        (
            "bedrock_converse",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
    ],
)
def test_q3_an_offer_belongs_to_its_seller_whatever_its_name_contains(
    litellm_provider: str, key: str, offer: str
) -> None:
    assert offer_id(provider_id(litellm_provider), provider_model(litellm_provider, key)) == offer
