"""One spelling for one model, whoever sells it: explicit rules, each certain for its names.

No rule removes a word that tells sizes apart (mini, nano, lite, flash, pro, turbo...).
"""

import re

from steelyard_catalog.model_aliases import MODEL_ALIASES

_Rule = tuple[re.Pattern[str], str]


def _rules(*pairs: tuple[str, str]) -> tuple[_Rule, ...]:
    return tuple((re.compile(pattern, re.ASCII), replacement) for pattern, replacement in pairs)


# What a seller adds to the maker's name. Applied to the lower-case id at that seller only.
_DOTTED_VENDOR = (
    r"(?:ai21|amazon|anthropic|cohere|google|meta|minimax|mistral|moonshot|moonshotai|nvidia"
    r"|openai|qwen|twelvelabs|writer|xai|zai)\."
)
_GEO = r"(?:us-gov|us|eu|apac|global|jp|au|ca|sa|uk|in)\."
_BEDROCK = _rules(
    (rf"^{_GEO}", ""),
    # Amazon's and Cohere's are both called `rerank`.
    (r"^amazon\.rerank-v1:0$", "amazon-rerank-v1"),
    # The oldest Claudes have nothing but these versions in their names.
    (r"^anthropic\.claude-v1$", "claude-1"),
    (r"^anthropic\.claude-v2$", "claude-2"),
    (r"^anthropic\.claude-v2:1$", "claude-2.1"),
    (r"^anthropic\.claude-instant-v1$", "claude-instant-1"),
    (r"^deepseek\.", "deepseek-"),
    (rf"^{_DOTTED_VENDOR}", ""),
    (r"(?<=-\d{8})-v\d(?::\d+)?$", ""),
    (r"-v1(?::\d+){1,2}k?$", ""),
    (r"^(gpt-oss-\d+b)-1:\d+$", r"\1"),
    (r"^(claude-.*\d)-v1$", r"\1"),
    (r":\d+$", ""),
)
# Names of what others host there.
_AZURE = ((r"^cohere-(?=command-|embed-|rerank-)", ""),)
# Only the confidential computing of the same weights.
_CONFIDENTIAL = _rules((r"-tee$", ""))
_OLLAMA = _rules((r":", "-"), (r"-cloud$", ""))
_FREE = _rules((r"-free$", ""))
_BY_SELLER: dict[str, tuple[_Rule, ...]] = {
    # Prices for coding tools.
    "aihubmix": _rules((r"^coding-(?:xiaomi-)?", ""), (r"-free$", "")),
    "amazon_nova": _rules((r"-v1$", "")),
    "azure": _rules(*_AZURE, (r"^gpt-35-", "gpt-3.5-")),
    "azure-cognitive-services": _rules(*_AZURE),
    "azure_ai": _rules(*_AZURE, (r"^fw-", "")),
    "bedrock": _BEDROCK,
    "bedrock_mantle": _BEDROCK,
    "cerebras": _rules((r"^zai-(?=glm-)", "")),
    "chutes": _CONFIDENTIAL,
    "databricks": _rules((r"^databricks-", ""), (r"^system\.ai\.", "")),
    # `-us` is where it is served.
    "fireworks_ai": _rules((r"(?<=\d)p(?=\d)", "."), (r"^qwen-v", "qwen"), (r"-us$", "")),
    "github-models": _rules((r"^(?:ai21|cohere)-(?=command-|jamba-)", "")),
    "gitlab": _rules((r"^duo-chat-(?=gpt-)", ""), (r"^duo-chat-", "claude-")),
    "gradient_ai": _rules((r"^(?:alibaba|anthropic|arcee|openai)-", "")),
    "kimi-for-coding": _rules((r"^k(\d)p(\d)$", r"kimi-k\1.\2")),
    "lemonade": _rules((r"-gguf$", "")),
    "libertai": _CONFIDENTIAL,
    "meta": _rules((r"^(?:cerebras|groq)-(?=llama-)", "")),
    # What Mistral itself sells under these names is the next model, by its documentation.
    "mistral": _rules(
        (r"^zai-glm-5$", "glm-5.3"),
        (r"^zai-glm-", "glm-"),
        (r"^mistral-medium-3$", "mistral-medium-3.5"),
        (r"^labs-", ""),
    ),
    "nano-gpt": _rules((r"^azure-(?=gpt-|o\d)", ""), (r"-original$", "")),
    "oci": _rules((rf"^{_DOTTED_VENDOR}", "")),
    "ollama": _OLLAMA,
    "ollama-cloud": _OLLAMA,
    "opencode": _FREE,
    # JumpStart ends what is tuned for chat with `-f`.
    "sagemaker": _rules(
        (r"^meta-textgeneration-(llama-2-\d+b)(?:-b)?-f$", r"\1-chat"),
        (r"^meta-textgeneration-(?=llama-)", ""),
    ),
    "sap-ai-core": _rules((r"^anthropic--", "")),
    "snowflake": _rules((r"^snowflake-llama", "llama"), (r"^openai-", "")),
    "venice": _rules(
        (r"^(?:aion-labs|arcee|google|openai|z-ai|zai-org)-", ""),
        (r"^(gpt-5|grok-4)(?=\d)", r"\1."),
    ),
    "vertex_ai": _rules(
        (r"-maas$", ""),
        (r"@(?:default|latest|\d{3})$", ""),
        (r"^codestral@2405$", "codestral-2405"),
    ),
    "volcengine": _rules((r"-2\d(?:0[1-9]|1[0-2])[0-3]\d$", "")),
    "zenmux": _FREE,
}
_EVERYWHERE = _rules(
    # Service variants of one model.
    (r":(?:batch|beta|exacto|extended|floor|free|nitro|online|self-moderated|thinking)$", ""),
    (r"@(?=20\d{6}$)", "-"),
    (r"(?<=\d)_(?=\d)", "."),
    (r"_", "-"),
    # How the weights are stored.
    (r"-(?:awq|bf16|fp16|fp4|fp8|int4|int8|mxfp4|nvfp4)$", ""),
    (r"-hf$", ""),
    (r"^meta-llama-", "llama-"),
    (r"^nvidia-nemotron-", "nemotron-"),
    (r"^llama-?v?(?=\d)", "llama-"),
    (r"^qwen-?([23])5-", r"qwen\1.5-"),
    # A generation, not a size: qwen-2.5-72b, qwen-3-32b; not qwen-14b.
    (r"^qwen-(?=\d(?:\.\d)?(?:-|$))", "qwen"),
    (r"^(gemma|glm)(?=\d)", r"\1-"),
)
_CLAUDE = _rules(
    (r"\.", "-"),
    (r"^claude-([4-9](?:-\d)?)-(fable|haiku|opus|sonnet)(?=-|$)", r"claude-\2-\1"),
    (r"^claude-(haiku|opus|sonnet)-(3(?:-\d)?)(?=-|$)", r"claude-\2-\1"),
    (r"^(claude-3-5-sonnet)-v2(?=-|$)", r"\1"),
    (r"^claude-(haiku|opus|sonnet)(?=\d)", r"claude-\1-"),
    # The snapshot before the way that it is sold.
    (r"-20\d{6}(?=-thinking$)", ""),
)
_OTHERS = _rules(
    # glm-4-7, gemini-3-1-pro, kimi-k2-5, llama-3-3-70b; not llama-3-8b, not gpt-4-0613.
    (r"(?<=[a-z-])(\d)-(\d)(?=-|$)", r"\1.\2"),
    (r"^grok-(\d)-(\d\d)(?=-|$)", r"grok-\1.\2"),
)
_FAMILY_RULES = _rules(
    (r"^llama-4-(maverick|scout)(?:-17b)?(?:-(?:128|16)e)?(?:-instruct)?$", r"llama-4-\1"),
    (r"^(llama-3(?:\.\d)?-\d+b)-chat$", r"\1-instruct"),
    # There is no base model of this version.
    (r"^(llama-3\.3-\d+b)$", r"\1-instruct"),
    # Sellers' names for faster builds of the same weights.
    (r"^(llama-3(?:\.\d)?-\d+b)-(?:versatile|instant|8192)$", r"\1-instruct"),
    (r"-instruct-(?:turbo|fp8-fast|lite)$", "-instruct"),
    (r"^deepseek-chat-(?=v\d)", "deepseek-"),
    (r"^(deepseek-(?:r1|v3|v3\.1))-671b$", r"\1"),
    # How the weights are stored, of Baidu's alone: elsewhere `-pt` is a base model.
    (r"^(ernie-.+)-(?:paddle|pt)$", r"\1"),
    (r"^((?:doubao-|seed-).+)-2\d(?:0[1-9]|1[0-2])[0-3]\d$", r"\1"),
    (r"^code-llama-(?=\d)", "codellama-"),
    (r"^kimi-k2-instruct(?=-|$)", "kimi-k2"),
    (r"^qwen3-235b-a22b-2507$", "qwen3-235b-a22b-instruct-2507"),
    (r"^qwen3-coder(?:-480b(?:-a35b)?)?$", "qwen3-coder-480b-a35b-instruct"),
    (r"^qwen3-(coder-30b-a3b|next-80b-a3b)$", r"qwen3-\1-instruct"),
    (r"^(nova-(?:2-)?(?:lite|micro|premier|pro))-v1$", r"\1"),
)
# Sellers whose plain Llama names mean the instruct model; elsewhere they are the base model.
_INSTRUCT_SELLERS = frozenset(
    {"cerebras", "lambda_ai", "llamagate", "ollama", "snowflake", "vercel_ai_gateway"}
)
_PLAIN_LLAMA = re.compile(r"llama-3(?:\.\d)?-\d+b", re.ASCII)

# Dates that name a snapshot. MMDD without a year only where OpenAI used it.
_SNAPSHOT = re.compile(r"-(20\d\d-\d\d-\d\d|20\d{6})$", re.ASCII)
_OLD_OPENAI_SNAPSHOT = re.compile(
    r"^(gpt-(?:3\.5-turbo|4)(?:-16k|-32k|-instruct)?)-(?:0301|0314|0613|0125|0914|1106)$", re.ASCII
)
_GEMINI_SNAPSHOT = re.compile(r"^(gemini-[12]\.\d-.*)-00[12]$", re.ASCII)
_DIGIT = re.compile(r"\d", re.ASCII)
_MOVING = "-latest"
_NAMES_WITHOUT_VERSION = ("gpt-", "computer-use", "omni-moderation")
# Without `-latest` these are other models: the Ministrals of 2024.
_MOVING_NAMES = ("chatgpt-", "gpt-chat", "ministral-3b", "ministral-8b")
# Effort is a parameter of the request. `max` is not here: gpt-5.1-codex-max is a model.
_EFFORT = re.compile(r"^((?:gpt-[5-9]|o[134]).*)-(?:high|low|medium|minimal)$", re.ASCII)


def spelled(provider: str, name: str) -> str:
    """Return the common spelling of a seller's name, lower case, without author or region path."""
    name = name.lower().rpartition("/")[2]
    for pattern, replacement in (*_BY_SELLER.get(provider, ()), *_EVERYWHERE):
        name = pattern.sub(replacement, name)
    for pattern, replacement in _CLAUDE if name.startswith("claude-") else _OTHERS:
        name = pattern.sub(replacement, name)
    name = without_snapshot(name)
    for pattern, replacement in _FAMILY_RULES:
        name = pattern.sub(replacement, name)
    if provider in _INSTRUCT_SELLERS and _PLAIN_LLAMA.fullmatch(name):
        name = f"{name}-instruct"
    return MODEL_ALIASES.get(name, name)


def without_snapshot(name: str) -> str:
    """Remove what names a snapshot, `-latest` or an effort, where the rest still names one model.

    `qwen-plus-2025-07-28` keeps its date: `qwen-plus` has been models of several generations.
    """
    for pattern in (_OLD_OPENAI_SNAPSHOT, _GEMINI_SNAPSHOT, _EFFORT):
        name = pattern.sub(r"\1", name)
    shorter = _SNAPSHOT.sub("", name)
    if shorter == name:
        shorter = name.removesuffix(_MOVING)
    is_certain = _DIGIT.search(shorter) is not None or shorter.startswith(_NAMES_WITHOUT_VERSION)
    is_moving_itself = shorter.startswith(_MOVING_NAMES)
    return shorter if is_certain and not is_moving_itself else name


def snapshot_of(name: str) -> str:
    """Return the date in a name, digits only; empty when it has none."""
    match = _SNAPSHOT.search(name.lower().replace("@", "-"))
    return match[1].replace("-", "") if match else ""
