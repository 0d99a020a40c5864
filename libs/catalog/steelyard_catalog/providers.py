"""Which seller stands behind a provider name of LiteLLM's map."""

VERTEX_AI = "vertex_ai"

# Names of one seller, by the address that LiteLLM sends their requests to.
_SELLERS = {
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
    "cohere_chat": "cohere",
    "dashscope": "qwen",
    "fireworks_ai-embedding-models": "fireworks_ai",
    "gemini": "google",
    "meta_llama": "meta",
    "text-completion-inception": "inception",
    "text-completion-openai": "openai",
    "zai": "zhipu",
}
# What a key begins with where that is not the provider name itself.
_KEY_PREFIXES = {
    "amazon_nova": "amazon-nova",
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
    "cohere_chat": "cohere",
    "fireworks_ai-embedding-models": "fireworks_ai",
    "text-completion-openai": "openai",
}


def provider_id(litellm_provider: str) -> str:
    """Return our id of a seller; names that stand for themselves come back unchanged."""
    # Vertex AI has one name per family: vertex_ai-anthropic_models, vertex_ai-llama_models...
    if litellm_provider.startswith(f"{VERTEX_AI}-"):
        return VERTEX_AI
    return _SELLERS.get(litellm_provider, litellm_provider)


def provider_model(litellm_provider: str, key: str) -> str:
    """Return the seller's own id of a model: the key without the prefix that names the seller.

    `gemini/gemini-2.5-pro` is `gemini-2.5-pro`, `groq/openai/gpt-oss-20b` is `openai/gpt-oss-20b`.
    """
    if litellm_provider.startswith(f"{VERTEX_AI}-"):
        return key.removeprefix(f"{VERTEX_AI}/")
    return key.removeprefix(_KEY_PREFIXES.get(litellm_provider, litellm_provider) + "/")
