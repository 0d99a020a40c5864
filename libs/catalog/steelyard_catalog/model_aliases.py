"""Names of one model that no rule of `spelling` can make the same, each checked by hand.

Whole names only, in the spelling that the rules leave; what is not certain is not here. A name
that moves on to the next model, such as `mistral-large-latest`, is nobody's alias.
"""

# The maker's own name comes first where the maker sells the model.
_SPELLINGS = {
    # Alibaba
    "qwen3-235b-a22b-instruct-2507": ("qwen3-235b-a22b-instruct",),
    "qwen3-30b-a3b-instruct-2507": ("qwen3-30b-a3b-2507",),
    "qwen3-coder-30b-a3b-instruct": ("qwen3-coder-30b",),
    "qwen3-coder-480b-a35b-instruct": ("qwen3-coder-480b-instruct",),
    "qwen3-embedding-0.6b": ("qwen3-embedding-0-6b",),
    "qwen3-vl-235b-a22b-instruct": ("qwen3-vl-235b-instruct",),
    "qwen3.5-397b-a17b": ("qwen3.5-397b",),
    # Cohere writes the month, its sellers leave it out where there is only one.
    "command-a-03-2025": ("command-a",),
    "command-a-reasoning-08-2025": ("command-a-reasoning",),
    "command-a-vision-07-2025": ("command-a-vision",),
    "embed-english-v3.0": ("embed-english-v3", "embed-v3-english"),
    "embed-multilingual-v3.0": ("embed-multilingual-v3", "embed-v3-multilingual"),
    "embed-v4.0": ("embed-v-4.0", "embed-v4"),
    "embed-v5.0-fast": ("embed-v5-fast",),
    "embed-v5.0-pro": ("embed-v5-pro",),
    "rerank-english-v3.0": ("rerank-v3-english",),
    "rerank-multilingual-v3.0": ("rerank-v3-multilingual",),
    # DeepSeek
    "deepseek-r1-distill-qwen-1.5b": ("deepseek-r1-distill-qwen-1-5b",),
    "deepseek-v3.2": ("deepseek-v3.2-251201",),
    # Google has sold these as previews only: there is no other model that the name can mean.
    "gemini-3-flash-preview": ("gemini-3-flash", "gemini-3.0-flash-preview"),
    "gemini-3-pro-preview": ("gemini-3-pro", "gemini-3.0-pro-preview"),
    "gemini-3.1-pro-preview": ("gemini-3.1-pro",),
    # OpenRouter names the snapshot in its slug.
    "gemini-2.5-pro-preview-06-05": ("gemini-2.5-pro-preview",),
    "gemini-1.5-flash": ("gemini-flash-1.5",),
    # Its base models are called `-pt`; the plain name is what sellers answer chats with.
    "gemma-2-9b-it": ("gemma-2-9b",),
    "gemma-3-4b-it": ("gemma-3-4b",),
    "gemma-3-12b-it": ("gemma-3-12b",),
    "gemma-3-27b-it": ("gemma-3-27b",),
    "gemma-4-26b-a4b-it": ("gemma-4-26b", "gemma-4-26b-a4b", "gemma-4-26b-it"),
    "gemma-4-31b-it": ("gemma-4-31b",),
    # Meta
    "llama-2-13b-chat": ("llama-2-13b-chat-v1",),
    "llama-2-70b-chat": ("llama-2-70b-chat-v1",),
    # Microsoft never published the base models of these.
    "phi-4-mini-instruct": ("phi-4-mini",),
    "phi-4-multimodal-instruct": ("phi-4-multimodal",),
    "minimax-m2.5": ("minimax-m25",),
    "minimax-m2.7": ("minimax-m27",),
    # Mistral names its models by number and by month; each pair is one model of its documentation.
    "codestral-2405": ("codestral-22b-instruct-v0.1",),
    "codestral-embed": ("codestral-embed-2505",),
    "devstral-2512": ("devstral-2", "devstral-2-123b", "devstral-2-123b-instruct-2512"),
    "devstral-medium-2507": ("devstral-medium",),
    "devstral-small-2512": (
        "devstral-small-2",
        "devstral-small-2-24b",
        "devstral-small-2-24b-instruct-2512",
    ),
    "ministral-14b-2512": (
        "ministral-14b",
        "ministral-14b-instruct-2512",
        "ministral-3-14b",
        "ministral-3-14b-2512",
        "ministral-3-14b-instruct",
        "ministral-3-14b-instruct-2512",
    ),
    # The third generation: `ministral-3b` and `ministral-8b` are those of 2024.
    "ministral-3b-2512": (
        "ministral-3-3b",
        "ministral-3-3b-2512",
        "ministral-3-3b-instruct",
        "ministral-3-3b-instruct-2512",
    ),
    "ministral-8b-2512": (
        "ministral-3-8b",
        "ministral-3-8b-2512",
        "ministral-3-8b-instruct",
        "ministral-3-8b-instruct-2512",
    ),
    "mistral-embed": ("mistral-embed-2312",),
    "mistral-large-2407": (
        "mistral-large-2-instruct",
        "mistral-large-instruct-2407",
        "mistral-large@2407",
    ),
    "mistral-large-2411": ("mistral-large-instruct-2411", "mistral-large@2411-001"),
    "mistral-large-3": (
        "mistral-large-2512",
        "mistral-large-3-675b",
        "mistral-large-3-675b-instruct",
        "mistral-large-3-675b-instruct-2512",
    ),
    "mistral-large-4": ("mistral-large-4.0",),
    "mistral-medium-3": ("mistral-medium-2505",),
    "mistral-medium-3.1": ("mistral-medium-2508",),
    "mistral-medium-3.5": ("mistral-medium-2604", "mistral-medium-3.5-128b"),
    "mistral-nemo": (
        "mistral-nemo-12b-instruct",
        "mistral-nemo-12b-instruct-2407",
        "mistral-nemo-instruct-2407",
        "mistral-nemo@2407",
        "open-mistral-nemo",
    ),
    "mistral-small-2503": (
        "mistral-small-3.1-24b-instruct",
        "mistral-small-3.1-24b-instruct-2503",
        "mistral-small-31-24b-instruct",
    ),
    "mistral-small-2506": ("mistral-small-3.2-24b-instruct", "mistral-small-3.2-24b-instruct-2506"),
    "mixtral-8x22b-instruct": ("mixtral-8x22b-instruct-v0.1", "open-mixtral-8x22b"),
    "mixtral-8x7b-instruct": (
        "mixtral-8x7b-instruct-v0",
        "mixtral-8x7b-instruct-v0.1",
        "open-mixtral-8x7b",
    ),
    "pixtral-12b": ("pixtral-12b-2409",),
    # There is only one; Bedrock calls it by the month of its own start.
    "pixtral-large-2411": ("pixtral-large", "pixtral-large-2502", "pixtral-large-latest"),
    "voxtral-small-2507": ("voxtral-small-24b-2507",),
    # Moonshot: the first K2 is that of July, as its weights are called.
    "kimi-k2": ("kimi-k2-0711", "kimi-k2-0711-preview"),
    "kimi-k2-0905": ("kimi-k2-0905-preview",),
    "kimi-k2-turbo-preview": ("kimi-k2-turbo",),
    # Nous Research
    "hermes-3-llama-3.1-405b": ("hermes3-405b",),
    "hermes-3-llama-3.1-70b": ("hermes3-70b",),
    "hermes-3-llama-3.1-8b": ("hermes-3-8b", "hermes3-8b"),
    # NVIDIA: the words of the name in another order, or without the count of active parameters.
    "llama-3.1-nemotron-ultra-253b-v1": ("llama-3.1-nemotron-ultra-253b",),
    "nemotron-3-nano-30b-a3b": ("nemotron-3-nano-30b", "nemotron-nano-3-30b"),
    "nemotron-3-nano-omni-30b-a3b-reasoning": ("nemotron-3-nano-omni",),
    "nemotron-3-super-120b-a12b": (
        "nemotron-120b-a12b",
        "nemotron-3-120b-a12b",
        "nemotron-3-super",
        "nemotron-3-super-120b",
        "nemotron-super-3-120b",
    ),
    "nemotron-3-ultra-550b-a55b": ("nemotron-3-ultra",),
    "nemotron-3.5-content-safety": ("nemotron-content-safety-3.5",),
    "nemotron-3.5-lightning-30b-a3b": (
        "nemotron-3.5-lightning",
        "nemotron-lightning-3.5-30b-a3b",
    ),
    "nemotron-3.5-super-vl-120b-a12b": ("nemotron-3.5-super-vl",),
    "nemotron-nano-12b-v2-vl": ("nemotron-nano-v2-12b-vl",),
    # OpenAI: there is nothing else that the shorter name could mean.
    "gpt-4o-mini-search-preview": ("gpt-4o-mini-search",),
    "gpt-4o-search-preview": ("gpt-4o-search",),
    "text-embedding-3-small": ("text-embedding-3-small-inference",),
    "text-embedding-ada-002": ("text-embedding-ada-002-v2",),
    # xAI: months and days of the only snapshot, and the names of before the final ones.
    "grok-2": ("grok-2-1212",),
    "grok-2-vision": ("grok-2-vision-1212",),
    "grok-3": ("grok-3-beta",),
    "grok-3-fast": ("grok-3-fast-beta",),
    "grok-3-mini": ("grok-3-mini-beta",),
    "grok-3-mini-fast": ("grok-3-mini-fast-beta",),
    "grok-4": ("grok-4-0709", "grok-4.07-09"),
    "grok-4.20-beta-non-reasoning": ("grok-4.20-non-reasoning-beta",),
    "grok-4.20-beta-reasoning": ("grok-4.20-reasoning-beta",),
    "grok-code-fast-1": ("grok-code-fast", "grok-code-fast-1-0825"),
    # Others
    "baichuan-m2-32b": ("baichuan-m2",),
    "cogito-v2.1-671b": ("cogito-2.1-671b", "cogito-671b-v2-p1"),
    "dolphin-2.9.2-qwen2-72b": ("dolphin-2.9-2-qwen2-72b",),
    "glm-4-32b-0414": ("glm-4-32b",),
    "jamba-1.5-large": ("jamba-1.5-large@001",),
    "jamba-1.5-mini": ("jamba-1.5-mini@001",),
    "kat-coder-pro-v1": ("kat-coder-pro",),
    "l3-lunaris-8b": ("l3-8b-lunaris",),
    "l3-euryale-70b": ("l3-70b-euryale-v2.1",),
    "l3.1-euryale-70b": ("l3.1-70b-euryale-v2.2", "l31-70b-euryale-v2.2"),
    "l3.3-euryale-70b": ("l3.3-70b-euryale-v2.3",),
    "solar-pro-3": ("solar-pro3",),
}
# Sellers of open weights call a faster serving of them `-fast` or `-turbo`. Only those that the
# maker does not sell: `kimi-k2-thinking-turbo`, `glm-5-turbo` and `claude-opus-5-fast` are others.
_FASTER_SERVING = {
    "deepseek-r1": ("deepseek-r1-turbo",),
    "deepseek-r1-0528": ("deepseek-r1-0528-fast", "deepseek-r1-0528-turbo"),
    "deepseek-v3": ("deepseek-v3-turbo",),
    "deepseek-v3-0324": ("deepseek-v3-0324-fast",),
    "deepseek-v4.1-flash": ("deepseek-v4.1-flash-fast",),
    "deepseek-v4.1-flash-1017": ("deepseek-v4.1-flash-1017-fast",),
    "gemma-2-9b-it": ("gemma-2-9b-it-fast",),
    "gemma-3-27b-it": ("gemma-3-27b-it-fast",),
    "gemma-4-31b-it": ("gemma-4-31b-it-turbo",),
    "glm-5.1": ("glm-5.1-fast",),
    "glm-5.2": ("glm-5.2-fast",),
    "glm-5.3": ("glm-5.3-fast",),
    "gpt-oss-120b": ("gpt-oss-120b-turbo",),
    "kimi-k2.5": ("kimi-k2.5-fast", "kimi-k2.5-turbo"),
    "kimi-k2.6": ("kimi-k2.6-fast",),
    "kimi-k2.7-code": ("kimi-k2.7-code-fast",),
    "kimi-k3": ("kimi-k3-fast",),
    "llama-3.1-8b-instruct": ("llama-3.1-8b-instruct-fast",),
    "llama-3.3-70b-instruct": ("llama-3.3-70b-instruct-fast",),
    "minimax-m2.7": ("minimax-m2.7-turbo",),
    "qwen3-32b": ("qwen3-32b-fast",),
}
FASTER_SERVINGS = frozenset(name for names in _FASTER_SERVING.values() for name in names)
"""Names that differ from the model's by a word for how fast it is served."""
MODEL_ALIASES = {
    name: model
    for table in (_SPELLINGS, _FASTER_SERVING)
    for model, names in table.items()
    for name in names
}
"""Canonical name of the model by another name of it."""
