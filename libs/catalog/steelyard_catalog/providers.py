"""Which seller stands behind a provider name of LiteLLM's map or of models.dev."""

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
# Names of models.dev, by the address that it has for them, where LiteLLM sends requests of another
# name to the same one. Mainland China's addresses (`alibaba-cn`, `moonshotai-cn`, `zhipuai`...) and
# plans (`zai-coding-plan`...) have price lists of their own: they are other sellers, as is
# `ollama-cloud`, whose names are those of local models.
_MODELS_DEV_SELLERS = {
    "alibaba": "qwen",
    "amazon-bedrock": "bedrock",
    "cloudflare-workers-ai": "cloudflare",
    "digitalocean": "gradient_ai",
    "fireworks-ai": "fireworks_ai",
    "friendli": "friendliai",
    "github-copilot": "github_copilot",
    "google-vertex": VERTEX_AI,
    "google-vertex-anthropic": VERTEX_AI,
    "llama": "meta",
    "lmstudio": "lm_studio",
    "moonshotai": "moonshot",
    "nova": "amazon_nova",
    "novita-ai": "novita",
    "nvidia": "nvidia_nim",
    "perplexity-agent": "perplexity",
    "togetherai": "together_ai",
    "vercel": "vercel_ai_gateway",
    "xiaomi": "xiaomi_mimo",
    "zai": "zhipu",
}
# Azure sells some models at another address, which LiteLLM calls by another name.
_AZURE, _AZURE_AI = "azure", "azure_ai"
_AZURE_AI_ADDRESS = ".services.ai.azure.com/"


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


def models_dev_provider_id(seller: str, model_address: str = "") -> str:
    """Return our id of a seller of models.dev; names that stand for themselves come back unchanged.

    `model_address` is the address of the one model, where it has one of its own.
    """
    if seller == _AZURE and _AZURE_AI_ADDRESS in model_address:
        return _AZURE_AI
    return _MODELS_DEV_SELLERS.get(seller, seller)
