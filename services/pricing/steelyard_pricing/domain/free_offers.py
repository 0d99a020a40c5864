"""Which zeros are prices.

Maintainers of price maps write 0 for "not known", "billed elsewhere" and "free" alike: in the
LiteLLM map of 2026-10-21, 76 chat models have two zeros, hosted ones of paid sellers among them. A
zero is taken for a price only where the offer's name says that it costs nothing, where it runs on
the caller's own machine, and for a short list of offers that are assumed to be free.
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
"""Zeros that are taken for prices by name, without a word of the seller's in the feeds.

- OpenAI's moderation models: general knowledge of that endpoint, which takes no payment; LiteLLM
  has them at zero in every edition that names them.
- OpenRouter's `free` router: its own list has it at zero, but its id does not end in `:free`.
- The Flash models of Z.ai: LiteLLM and models.dev have both at zero, and models.dev has a price for
  their paid sibling `glm-4.7-flashx`.

An assumption here that turns out wrong makes a paid offer look free: leave a doubtful one out.
"""


def is_free_offer(offer: str, provider: str) -> bool:
    """Say whether the seller gives the offer away."""
    if offer.endswith(FREE_SUFFIX) or offer in FREE_OFFERS:
        return True
    return provider in LOCAL_PROVIDERS and not offer.endswith(HOSTED_SUFFIX)
