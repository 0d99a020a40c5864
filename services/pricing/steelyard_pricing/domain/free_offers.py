"""Which zeros are prices.

Maintainers of price maps write 0 for "not known", "billed elsewhere" and "free" alike: in the
LiteLLM map of 2026-10-21, 76 chat models have two zeros, hosted ones of paid sellers among them. A
zero is taken for a price only where the seller itself says that the offer costs nothing.
"""

FREE_SUFFIX = ":free"

LOCAL_PROVIDERS = frozenset(
    {
        "docker_model_runner",
        "lemonade",
        "llamafile",
        "lm_studio",
        "ollama",
        "ollama_chat",
        "oobabooga",
        "xinference",
    }
)
"""Sellers that are the caller's own machine."""

HOSTED_SUFFIX = "cloud"
"""Models of a local runner whose tag ends in this run on the vendor's servers, for money."""

FREE_OFFERS = frozenset(
    {
        "openai/omni-moderation-2024-09-26",
        "openai/omni-moderation-latest",
        "openai/omni-moderation-latest-intents",
        "openai/text-moderation-007",
        "openai/text-moderation-latest",
        "openai/text-moderation-stable",
        "openrouter/openrouter/free",
        "zhipu/glm-4.5-flash",
        "zhipu/glm-4.7-flash",
    }
)
"""Offers whose seller's price list says free, checked 2026-11: OpenAI's moderation endpoint,
OpenRouter's free router and the Flash models of Z.ai."""


def is_free_offer(offer: str, provider: str) -> bool:
    """Say whether the seller gives the offer away."""
    if offer.endswith(FREE_SUFFIX) or offer in FREE_OFFERS:
        return True
    return provider in LOCAL_PROVIDERS and not offer.endswith(HOSTED_SUFFIX)
