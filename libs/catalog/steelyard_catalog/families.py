"""Who made a model, by the word that its name begins with."""

# A table, because guesses by substring took `gemini` for a `mini` and `minimax` too.
_FAMILIES = {
    "ai21": ("j2", "jamba"),
    "amazon": ("nova", "titan"),
    "anthropic": ("claude",),
    "baidu": ("ernie",),
    "bytedance": ("doubao", "seed"),
    "cohere": ("aya", "c4ai", "command", "embed", "north", "rerank"),
    "deepseek": ("deepseek",),
    "google": ("gemini", "gemma", "imagen", "learnlm", "lyria", "medgemma", "palm", "veo"),
    "ibm": ("granite",),
    "inception": ("mercury",),
    "meta": ("codellama", "llama", "muse"),
    "microsoft": ("mai", "phi", "wizardlm"),
    "minimax": ("abab", "minimax"),
    "mistral": (
        "codestral",
        "devstral",
        "leanstral",
        "magistral",
        "ministral",
        "mistral",
        "mixtral",
        "pixtral",
        "voxtral",
    ),
    "moonshot": ("kimi", "moonshot"),
    "nousresearch": ("hermes",),
    "nvidia": ("nemotron",),
    "openai": (
        "babbage",
        "chatgpt",
        "codex",
        "dall",
        "davinci",
        "daybreak",
        "gpt",
        "o1",
        "o3",
        "o4",
        "sora",
        "tts",
        "whisper",
    ),
    "perplexity": ("sonar",),
    "qwen": ("qvq", "qwen", "qwq"),
    "stepfun": ("step",),
    "tencent": ("hunyuan", "hy3", "hy4"),
    "writer": ("palmyra",),
    "xai": ("grok",),
    "xiaomi": ("mimo",),
    "zhipu": ("chatglm", "codegeex", "glm"),
}
_MAKERS = {word: maker for maker, words in _FAMILIES.items() for word in words}
# Names that begin like another maker's, or with no family at all.
_WHOLE_NAMES = {
    "chat-latest": "openai",
    "computer-use-preview": "openai",
    "omni-moderation": "openai",
    "text-embedding-004": "google",
    "text-embedding-005": "google",
    "text-embedding-3-large": "openai",
    "text-embedding-3-small": "openai",
    "text-embedding-ada-002": "openai",
    "text-moderation": "openai",
    "text-multilingual-embedding-002": "google",
}


def maker_of(name: str) -> str:
    """Return who made a model with this canonical name; empty when the family is not known.

    `gemini-2.5-pro` is Google's, `llama3-70b` Meta's, `geminix` nobody's.
    """
    whole = _WHOLE_NAMES.get(name)
    if whole is not None:
        return whole
    word = name.partition("-")[0]
    return _MAKERS.get(word) or _MAKERS.get(word.rstrip("0123456789.")) or ""
