"""The table of names that no rule makes the same."""

import re
from collections import Counter

import pytest

from steelyard_catalog.families import maker_of
from steelyard_catalog.model_aliases import FASTER_SERVINGS, MODEL_ALIASES
from steelyard_catalog.names import OfferName, canonical_name
from steelyard_catalog.spelling import spelled
from tests.catalog.test_names import SIZES, real_names

__all__ = ["real_names"]

SELLERS = ("", "deepinfra", "openrouter", "together_ai", "vercel_ai_gateway")
VERSION = re.compile(r"\d+(?:\.\d+)?")
# Mistral's months and days of others stand for a version, or say what the version does.
DATED = re.compile(
    r"-(?:2[3-6]|\d\d)(?:0[1-9]|1[0-2]|\d\d)(?!\d)|-(?:0[1-9]|1[0-2])-(?:20\d\d|\d\d)$|-25\d{4}$"
)
DASH_FOR_THE_POINT = {"deepseek-r1-distill-qwen-1-5b", "qwen3-embedding-0-6b"}
# Written so that digits run together, or with a counter of the seller's own.
ODD_VERSIONS = {
    "codestral-22b-instruct-v0.1": "of the open weights",
    "cogito-671b-v2-p1": "v2.1 with a letter for the point",
    "deepseek-r1-distill-qwen-1-5b": "1.5b with a dash for the point",
    "devstral-2": "by number, the other by month",
    "devstral-2-123b": "by number, the other by month",
    "devstral-2-123b-instruct-2512": "by number, the other by month",
    "devstral-small-2": "by number, the other by month",
    "devstral-small-2-24b": "by number, the other by month",
    "devstral-small-2-24b-instruct-2512": "by number, the other by month",
    "grok-4.07-09": "a month and day read as a version",
    "grok-code-fast": "there is only 1",
    "hermes-3-8b": "the Llama below is left out",
    "hermes3-405b": "the Llama below is left out",
    "hermes3-70b": "the Llama below is left out",
    "hermes3-8b": "the Llama below is left out",
    "jamba-1.5-large@001": "a counter of Vertex AI",
    "jamba-1.5-mini@001": "a counter of Vertex AI",
    "kat-coder-pro": "the first, before there was a v2",
    "l3-70b-euryale-v2.1": "OpenRouter leaves the version out",
    "l3.1-70b-euryale-v2.2": "OpenRouter leaves the version out",
    "l3.3-70b-euryale-v2.3": "OpenRouter leaves the version out",
    "l31-70b-euryale-v2.2": "OpenRouter leaves the version out",
    "llama-2-13b-chat-v1": "a counter of Bedrock",
    "llama-2-70b-chat-v1": "a counter of Bedrock",
    "llama-3.1-nemotron-ultra-253b": "there is only v1",
    "minimax-m25": "2.5 without the point",
    "minimax-m27": "2.7 without the point",
    "ministral-3-14b": "by generation, the other by month",
    "ministral-3-14b-2512": "by generation, the other by month",
    "ministral-3-14b-instruct": "by generation, the other by month",
    "ministral-3-14b-instruct-2512": "by generation, the other by month",
    "ministral-3-3b": "by generation, the other by month",
    "ministral-3-3b-2512": "by generation, the other by month",
    "ministral-3-3b-instruct": "by generation, the other by month",
    "ministral-3-3b-instruct-2512": "by generation, the other by month",
    "ministral-3-8b": "by generation, the other by month",
    "ministral-3-8b-2512": "by generation, the other by month",
    "ministral-3-8b-instruct": "by generation, the other by month",
    "ministral-3-8b-instruct-2512": "by generation, the other by month",
    "mistral-large-2-instruct": "by number, the other by month",
    "mistral-large-2512": "by month, the other by number",
    "mistral-large@2407": "the month behind Vertex AI's sign",
    "mistral-large@2411-001": "a counter of Vertex AI",
    "mistral-medium-2505": "by month, the other by number",
    "mistral-medium-2508": "by month, the other by number",
    "mistral-medium-2604": "by month, the other by number",
    "mistral-nemo@2407": "the month behind Vertex AI's sign",
    "mistral-small-3.1-24b-instruct": "by number, the other by month",
    "mistral-small-3.1-24b-instruct-2503": "by number, the other by month",
    "mistral-small-3.2-24b-instruct": "by number, the other by month",
    "mistral-small-3.2-24b-instruct-2506": "by number, the other by month",
    "mistral-small-31-24b-instruct": "by number, the other by month",
    "mixtral-8x22b-instruct-v0.1": "there is only v0.1",
    "mixtral-8x7b-instruct-v0": "there is only v0.1",
    "mixtral-8x7b-instruct-v0.1": "there is only v0.1",
    "nemotron-120b-a12b": "Baseten leaves the generation out",
    "qwen3-embedding-0-6b": "0.6b with a dash for the point",
    "text-embedding-ada-002-v2": "what the API answers for ada-002",
}


def test_every_target_is_a_fixed_point_at_every_seller() -> None:
    moved = {
        model: {seller: spelled(seller, model) for seller in SELLERS}
        for model in set(MODEL_ALIASES.values())
        if any(spelled(seller, model) != model for seller in SELLERS)
    }

    assert moved == {}


def test_no_alias_leads_to_another() -> None:
    assert MODEL_ALIASES.keys() & set(MODEL_ALIASES.values()) == set()


def test_every_alias_is_a_spelling_that_the_rules_leave() -> None:
    # Else it could never be looked up.
    lost = {name: model for name, model in MODEL_ALIASES.items() if spelled("", name) != model}

    assert lost == {}


def test_a_model_joins_at_every_seller_alike() -> None:
    for name, model in MODEL_ALIASES.items():
        found = {canonical_name(seller, f"someone/{name}", "chat") for seller in SELLERS}
        assert found == {model}, name


def test_the_maker_stays_the_same() -> None:
    other = {
        name: model
        for name, model in MODEL_ALIASES.items()
        if maker_of(name) not in {maker_of(model), ""}
    }

    assert other == {}


@pytest.mark.parametrize("name", sorted(MODEL_ALIASES))
def test_r8_sizes_and_kinds_agree(name: str) -> None:
    model = MODEL_ALIASES[name]
    own = words(name)
    if name in FASTER_SERVINGS:
        assert name in {f"{model}-fast", f"{model}-turbo"}
        own = words(model)

    assert own == words(model)


@pytest.mark.parametrize("name", sorted(MODEL_ALIASES.keys() - DASH_FOR_THE_POINT))
def test_no_count_of_parameters_contradicts(name: str) -> None:
    own, others = parameters(name), parameters(MODEL_ALIASES[name])

    # A name may leave a count out; what both count is the same.
    assert own <= others or others <= own


@pytest.mark.parametrize("name", sorted(MODEL_ALIASES.keys() - ODD_VERSIONS.keys()))
def test_versions_agree(name: str) -> None:
    assert versions(name) == versions(MODEL_ALIASES[name])


def test_only_what_differs_is_excepted() -> None:
    same = {name for name in ODD_VERSIONS if versions(name) == versions(MODEL_ALIASES[name])}

    assert same == set()


@pytest.mark.parametrize("kind", ["reasoning", "thinking", "base"])
def test_thinking_and_base_models_are_never_joined_to_others(kind: str) -> None:
    joined = {
        name: model
        for name, model in MODEL_ALIASES.items()
        if (kind in name.split("-")) != (kind in model.split("-"))
    }

    # NVIDIA's own name for the only model of its kind.
    assert joined.keys() <= {"nemotron-3-nano-omni"}


def test_names_that_move_on_are_nobodys_alias() -> None:
    moving = {name for name in MODEL_ALIASES if name.endswith("-latest")}

    # Mistral has ended the series.
    assert moving == {"pixtral-large-latest"}


@pytest.mark.real_data
def test_every_alias_is_a_real_name_or_another_edition_of_one(
    real_names: tuple[OfferName, ...],
) -> None:
    joined = {name.model for name in real_names}

    assert len(joined & set(MODEL_ALIASES.values())) > 80
    assert joined & MODEL_ALIASES.keys() == set()


def words(name: str) -> Counter[str]:
    return Counter(word for word in re.split(r"[^a-z]+", name) if word in SIZES)


def parameters(name: str) -> set[str]:
    return set(re.findall(r"(?<![\w.])a?\d+(?:\.\d+)?b(?!\w)", name))


def versions(name: str) -> list[str]:
    """Return the numbers of a name that are neither dates nor counts of parameters, in order."""
    plain = DATED.sub("", re.sub(r"(?<![\w.])a?\d+(?:\.\d+)?b(?!\w)", "", name))
    return sorted(number.removesuffix(".0") for number in VERSION.findall(plain))
