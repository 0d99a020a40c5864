"""Which offer and which model a name means."""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from steelyard_catalog.families import maker_of
from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.model_aliases import FASTER_SERVINGS
from steelyard_catalog.names import NameIndex, OfferName, aliases, canonical_name, offer_name
from steelyard_catalog.nearest import Nearest, nearest
from steelyard_catalog.openrouter import read_openrouter
from steelyard_catalog.seed import read_seed
from tests.catalog.builders import index_of, named

# Words that tell models of one family apart.
SIZES = frozenset(
    re.findall(
        r"\w+",
        "air airx codex embed fable fast flash flashx haiku highspeed image large lightning lite"
        " maverick max medium micro mini mythos nano opus plus pro research scout search small"
        " sonnet thinking turbo ultra vision vl x xs",
    )
)
# Builds of the same weights: the word follows `instruct` and names no size.
SERVING_BUILD = re.compile(r"(?<=instruct)-(?:turbo|lite|fp8-fast)$")


def sizes(name: str) -> Counter[str]:
    words = re.split(r"[^a-z]+", SERVING_BUILD.sub("", name.lower().partition(":")[0]))
    return Counter(word for word in words if word in SIZES)


def own_sizes(name: OfferName) -> Counter[str]:
    """Return the sizes of an offer's own name, without the word for a faster serving."""
    words = sizes(name.provider_model.rpartition("/")[2])
    for word in ("fast", "turbo"):
        if f"{name.model}-{word}" in FASTER_SERVINGS and sizes(name.model)[word] < words[word]:
            words -= Counter([word])
    return words


@pytest.fixture(scope="session")
def real_names(real_data: Path) -> tuple[OfferName, ...]:
    """Return every name of all editions of both real catalogues."""
    litellm = (path.read_bytes() for path in (real_data / "litellm").glob("20*.json"))
    openrouter = (path.read_bytes() for path in (real_data / "openrouter").glob("models_*.json"))
    names = [offer_name(entry) for body in litellm for entry in read_litellm(body).entries]
    names += [offer_name(entry) for body in openrouter for entry in read_openrouter(body).entries]
    return tuple({name.offer: name for name in names}.values())


@pytest.fixture(scope="session")
def seed_index() -> NameIndex:
    return NameIndex(offer_name(entry) for entry in read_seed().entries)


@pytest.mark.parametrize(
    ("model", "offers"),
    [
        (
            "gpt-4o",
            [
                ("openai", "gpt-4o"),
                ("openai", "gpt-4o-2024-08-06"),
                ("azure", "gpt-4o"),
                ("azure", "eu/gpt-4o-2024-11-20"),
                ("openrouter", "openai/gpt-4o"),
                ("openrouter", "openai/gpt-4o:extended"),
                ("gradient_ai", "openai-gpt-4o"),
            ],
        ),
        (
            "claude-sonnet-4-5",
            [
                ("anthropic", "claude-sonnet-4-5"),
                ("anthropic", "claude-sonnet-4-5-20250929"),
                ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
                ("bedrock", "us-gov-east-1/anthropic.claude-sonnet-4-5-20250929-v1:0"),
                ("vertex_ai", "claude-sonnet-4-5@20250929"),
                ("openrouter", "anthropic/claude-sonnet-4.5"),
                ("replicate", "anthropic/claude-4.5-sonnet"),
                ("databricks", "databricks-claude-sonnet-4-5"),
            ],
        ),
        (
            "claude-3-5-sonnet",
            [
                ("bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
                ("openrouter", "anthropic/claude-3.5-sonnet"),
                ("heroku", "claude-3-5-sonnet-latest"),
                ("vertex_ai", "claude-3-5-sonnet-v2@20241022"),
            ],
        ),
        (
            "llama-3.3-70b-instruct",
            [
                ("meta", "Llama-3.3-70B-Instruct"),
                ("groq", "llama-3.3-70b-versatile"),
                ("together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
                ("cerebras", "llama-3.3-70b"),
                ("fireworks_ai", "accounts/fireworks/models/llama-v3p3-70b-instruct"),
                ("bedrock", "us.meta.llama3-3-70b-instruct-v1:0"),
                ("ovhcloud", "Meta-Llama-3_3-70B-Instruct"),
                ("watsonx", "meta-llama/llama-3-3-70b-instruct"),
                ("openrouter", "meta-llama/llama-3.3-70b-instruct:free"),
            ],
        ),
        ("gpt-3.5-turbo", [("azure", "gpt-35-turbo"), ("openai", "gpt-3.5-turbo-0125")]),
        ("glm-4.7", [("zhipu", "glm-4.7"), ("volcengine", "glm-4-7-251222")]),
        ("deepseek-r1", [("bedrock", "us.deepseek.r1-v1:0"), ("sambanova", "DeepSeek-R1")]),
        ("deepseek-v3-0324", [("openrouter", "deepseek/deepseek-chat-v3-0324")]),
        (
            "gpt-oss-120b",
            [("bedrock", "openai.gpt-oss-120b-1:0"), ("ollama", "gpt-oss:120b-cloud")],
        ),
        ("nova-pro", [("bedrock", "eu.amazon.nova-pro-v1:0"), ("amazon_nova", "nova-pro-v1")]),
        ("claude-2.1".replace(".", "-"), [("bedrock", "eu-central-1/anthropic.claude-v2:1")]),
        ("grok-4.20-reasoning", [("azure_ai", "grok-4-20-reasoning")]),
        ("gemini-2.0-flash", [("vertex_ai", "gemini-2.0-flash-001")]),
        (
            "gpt-5.4",
            [
                ("aihubmix", "gpt-5.4-high"),
                ("gitlab", "duo-chat-gpt-5-4"),
                ("venice", "openai-gpt-54"),
            ],
        ),
        (
            "mistral-large-3",
            [
                ("mistral", "mistral-large-3"),
                ("mistral", "mistral-large-2512"),
                ("bedrock", "mistral.mistral-large-3-675b-instruct"),
                ("ollama-cloud", "mistral-large-3:675b"),
                ("openrouter", "mistralai/mistral-large-2512"),
                ("fireworks_ai", "accounts/fireworks/models/mistral-large-3-fp8"),
            ],
        ),
        (
            "ministral-14b-2512",
            [
                ("mistral", "ministral-3-14b-2512"),
                ("mistral", "ministral-14b-latest"),
                ("bedrock", "mistral.ministral-3-14b-instruct"),
                ("together_ai", "mistralai/Ministral-3-14B-Instruct-2512"),
            ],
        ),
        (
            "mistral-medium-3",
            [("openrouter", "mistralai/mistral-medium-3"), ("azure", "mistral-medium-2505")],
        ),
        (
            "mistral-medium-3.5",
            [("mistral", "mistral-medium-3"), ("mistral", "mistral-medium-2604")],
        ),
        ("gemma-4-31b-it", [("cerebras", "gemma-4-31b"), ("google", "gemma-4-31b-it")]),
        (
            "gemini-3-pro-preview",
            [("replicate", "google/gemini-3-pro"), ("google", "gemini-3-pro-preview")],
        ),
        ("command-a-03-2025", [("azure", "cohere-command-a"), ("oci", "cohere.command-a-03-2025")]),
        (
            "nemotron-3-super-120b-a12b",
            [
                ("bedrock", "nvidia.nemotron-super-3-120b"),
                ("gradient_ai", "nvidia-nemotron-3-super-120b"),
                ("opencode", "nemotron-3-super-free"),
                ("deepinfra", "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B"),
            ],
        ),
        ("glm-5.3", [("baseten", "zai-org/GLM-5.3-Fast"), ("aihubmix", "coding-glm-5.3")]),
        ("kimi-k3", [("fireworks_ai", "kimi-k3-fast"), ("fireworks_ai", "kimi-k3-us")]),
        ("claude-opus-4-5", [("cortecs", "claude-opus4-5"), ("gitlab", "duo-chat-opus-4-5")]),
        ("claude-opus-4-6", [("sap-ai-core", "anthropic--claude-4.6-opus")]),
        ("llama-2-7b-chat", [("sagemaker", "meta-textgeneration-llama-2-7b-f")]),
        ("embed-v4.0", [("azure_ai", "embed-v-4-0"), ("bedrock", "us.cohere.embed-v4:0")]),
    ],
)
def test_offers_of_one_model_are_joined(model: str, offers: list[tuple[str, str]]) -> None:
    assert {canonical_name(*offer, "chat") for offer in offers} == {model}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-4o", "gpt-4o-mini"),
        ("gpt-4o", "chatgpt-4o-latest"),
        ("gpt-4", "gpt-4-0125-preview"),
        ("o1", "o1-mini"),
        ("gpt-5.1-codex", "gpt-5.1-codex-max"),
        ("deepseek-r1", "deepseek-r1-0528"),
        ("deepseek-r1", "deepseek-r1-distill-llama-70b"),
        ("kimi-k2", "kimi-k2-thinking"),
        ("qwen-plus", "qwen-plus-2025-07-28"),
        ("mistral-large-latest", "mistral-large"),
        ("mistral-large-2407", "mistral-large-2411"),
        ("gemini-2.5-flash", "gemini-2.5-flash-lite"),
        ("llama-3-8b", "llama-3.8b"),
        ("llama-3.1-70b", "llama-3.1-70b-instruct"),
        ("mistral-medium-3", "mistral-medium-3.1"),
        ("mistral-small-2503", "mistral-small-2506"),
        ("ministral-8b", "ministral-8b-2512"),
        ("ministral-3b", "ministral-3b-latest"),
        ("ministral-14b-2512", "ministral-3-14b-reasoning-2512"),
        ("devstral-2512", "devstral-small-2512"),
        ("gemini-2.5-pro", "gemini-2.5-pro-preview-06-05"),
        ("gemini-3.1-flash-lite", "gemini-3.1-flash-lite-preview"),
        ("gemma-4-31b", "gemma-4-26b"),
        ("glm-5", "glm-5-turbo"),
        ("claude-opus-5", "claude-opus-5-fast"),
        ("kimi-k2-thinking", "kimi-k2-thinking-turbo"),
        ("qwen3-235b-a22b", "qwen3-235b-a22b-instruct"),
        ("deepseek-v3.2", "deepseek-v3.2-thinking"),
    ],
)
def test_different_models_stay_apart(one: str, other: str) -> None:
    assert canonical_name("x", one, "chat") != canonical_name("x", other, "chat")


def test_voices_and_searches_of_the_same_name_stay_apart() -> None:
    assert canonical_name("deepgram", "nova-2", "audio_transcription") == "deepgram/nova-2"
    assert canonical_name("tavily", "search", "search") == "tavily/search"
    assert canonical_name("openai", "whisper-1", "audio_transcription") == "whisper-1"
    assert (
        canonical_name("openai", "low/1024-x-1024/gpt-image-1.5", "image_generation")
        == "openai/low/1024-x-1024/gpt-image-1.5"
    )


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("gpt-4o", "openai"),
        ("o3-mini", "openai"),
        ("gemini-2.5-pro", "google"),
        ("minimax-m2.5", "minimax"),
        ("llama-3.3-70b-instruct", "meta"),
        ("qwen3.5-plus", "qwen"),
        ("text-embedding-3-small", "openai"),
        ("text-embedding-004", "google"),
        ("o10", ""),
        ("rerank-v3.5", "cohere"),
        ("rerank-2.5", "voyage"),
        ("voyage-3-large", "voyage"),
        ("ling-1t", "inclusionai"),
        ("linguist-1t", ""),
        ("geminix", ""),
        ("my-gpt-4", ""),
        ("", ""),
    ],
)
def test_p3_the_maker_is_known_by_a_whole_word(name: str, maker: str) -> None:
    assert maker_of(name) == maker


@pytest.mark.parametrize(
    ("name", "offer"),
    [
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("gpt-4o", "openai/gpt-4o"),
        ("GPT-4o", "openai/gpt-4o"),
        ("OpenAI/GPT-4o", "openai/gpt-4o"),
        ("gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06"),
        ("openai/gpt-4o-2031-01-01", "openai/gpt-4o"),
        ("claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"),
        ("gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gemini/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("zai/glm-5", "zhipu/glm-5"),
        ("meta-llama/Llama-3.3-70B-Instruct", "meta/Llama-3.3-70B-Instruct"),
        ("groq/openai/gpt-oss-20b", "groq/openai/gpt-oss-20b"),
        ("us.anthropic.claude-opus-4-7", "bedrock/us.anthropic.claude-opus-4-7"),
        ("gpt-4-mini", None),
        ("gpt-9", None),
        ("gpt", None),
        ("", None),
        ("foo/openai/gpt-4o", None),
        # Sold by many, made by none of them: nobody's offer is meant.
        ("gpt-oss-120b", None),
        ("x" * 100_000, None),
    ],
)
def test_a_name_means_one_offer_or_none(
    seed_index: NameIndex, name: str, offer: str | None
) -> None:
    assert seed_index.resolve(name) == offer


def test_of_several_snapshots_the_plain_name_is_meant_and_else_the_latest() -> None:
    index = index_of(
        {
            "claude-opus-4-5-20251101": "anthropic",
            "claude-opus-4-5": "anthropic",
            "claude-3-5-haiku-20240620": "anthropic",
            "claude-3-5-haiku-20241022": "anthropic",
        }
    )

    assert index.resolve("claude-opus-4.5") == "anthropic/claude-opus-4-5"
    assert index.resolve("claude-3.5-haiku") == "anthropic/claude-3-5-haiku-20241022"


def test_an_index_knows_exactly_its_offers(seed_index: NameIndex) -> None:
    offers = [entry.offer for entry in read_seed().entries]

    assert len(seed_index) == len(offers)
    assert list(seed_index) == list(dict.fromkeys(seed_index))
    assert all(offer in seed_index and seed_index.resolve(offer) == offer for offer in offers)


def test_aliases_lead_from_the_specific_to_the_general() -> None:
    name = named("groq", "openai/gpt-oss-20b")

    assert aliases(name) == ("openai/gpt-oss-20b", "gpt-oss-20b", "groq/gpt-oss-20b")


def test_nearest_names_come_closest_first() -> None:
    names = ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "claude-opus-5", "o1"]

    assert nearest("gpt-4o-mni", names)[0] == "gpt-4o-mini"
    assert nearest("cloude-opus5", names) == ["claude-opus-5"]
    assert nearest("zzzzzz", names) == []
    assert Nearest(names).find("gpt-4o", limit=1) == ["gpt-4o"]


@pytest.mark.real_data
def test_r8_no_real_name_loses_a_word_that_tells_sizes_apart(
    real_names: tuple[OfferName, ...],
) -> None:
    joined = [name for name in real_names if "/" not in name.model]

    lost = [(name.offer, name.model) for name in joined if own_sizes(name) != sizes(name.model)]

    assert len(joined) > 3000
    assert lost == []


@pytest.mark.real_data
def test_r8_no_two_real_names_of_different_sizes_are_one_model(
    real_names: tuple[OfferName, ...],
) -> None:
    by_model: dict[str, list[OfferName]] = {}
    for name in real_names:
        by_model.setdefault(name.model, []).append(name)

    mixed = [
        (one.offer, other.offer)
        for sharing in by_model.values()
        for one, other in combinations(sharing, 2)
        if own_sizes(one) != own_sizes(other)
    ]

    assert sum(len(sharing) > 1 for sharing in by_model.values()) > 300
    assert mixed == []


@pytest.mark.real_data
def test_r8_a_name_with_another_size_never_resolves_to_a_real_model(
    real_names: tuple[OfferName, ...],
) -> None:
    index = NameIndex(real_names)
    makers_own = [name for name in real_names if name.is_makers_own]

    wrong = [
        (invented, resolved)
        for name in makers_own
        for invented in (f"{name.model}-mini", f"{name.model}-nano", f"{name.model}-pro")
        if (resolved := index.resolve(invented)) is not None
        and sizes(resolved.rpartition("/")[2]) != sizes(invented)
    ]

    assert len(makers_own) > 500
    assert wrong == []
