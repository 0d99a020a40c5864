"""What holds for every name of every real leaderboard, and for any other text."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_catalog.model_aliases import MODEL_ALIASES
from steelyard_registry.adapters.alias_table import read_aliases
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.quality.joining import (
    AliasTable,
    Joined,
    ScoreNames,
    Unjoined,
    UnjoinedReason,
)
from steelyard_registry.domain.quality.name_rules import folded, translated
from tests.registry.joining_cases import ANALYSIS, ARENA, JOINS, MODELS
from tests.registry.named_models import models_named, models_of
from tests.registry.score_names import (
    full_edition,
    kind_of_thinking,
    read_names,
    sizes,
    tiers,
    version,
)

CATALOGUES = (
    ("2023-12-14_v1.14.4", "models_2025-05-23"),
    ("2025-11-09_v1.79.3", "models_2025-05-23"),
    ("2026-02-26_v1.81.16", "models_2026-07-17"),
    ("2026-08-09_v1.92.2", "models_2026-07-17"),
    ("2026-10-21_v1.106.2", "models_2026-08-01"),
)

pytestmark = [pytest.mark.replays, pytest.mark.xdist_group("joining")]
NEWEST = CATALOGUES[-1]
# What a rule joins although no seller of every edition writes its digits or counts like this.
SPELLED_OTHERWISE = {
    "llama-4-maverick-17b-128e-instruct": "llama-4-maverick",
    "llama-4-scout-17b-16e-instruct": "llama-4-scout",
    "claude-35-sonnet-june-24": "claude-3-5-sonnet",
    "deepseek-r1-distill-qwen-1-5b": "deepseek-r1-distill-qwen-1.5b",
    "qwen3-8-2-4t-a95b": "qwen3.8-2.4t-a95b",
}
FUZZED = ScoreNames(models_named(*MODELS), read_aliases())


class Catalogue:
    """Models of one real catalogue, and who joins them by rules alone and with the table."""

    def __init__(self, models: tuple[Model, ...]) -> None:
        self.models = {model.model: model for model in models}
        self.table = read_aliases()
        self.by_rules = ScoreNames(models, AliasTable())
        self.names = ScoreNames(models, self.table)

    def spellings(self, model: str) -> list[str]:
        """Return every name of a model that a seller uses."""
        known = self.models[model]
        return [model, *known.aliases, *(offer.provider_model for offer in known.offers)]


@pytest.fixture(scope="module", params=CATALOGUES, ids=lambda pair: str(pair[0]))
def catalogue(request: pytest.FixtureRequest, real_data: Path) -> Catalogue:
    return Catalogue(models_of(real_data, *request.param))


@pytest.fixture(scope="module")
def newest(real_data: Path) -> Catalogue:
    return Catalogue(models_of(real_data, *NEWEST))


@pytest.fixture(scope="module")
def every_name(real_data: Path) -> list[tuple[ScoreSource, str]]:
    return [(source, name) for source, names in read_names(real_data).items() for name in names]


@pytest.mark.real_data
def test_sizes_tiers_and_versions_agree(
    catalogue: Catalogue, every_name: list[tuple[ScoreSource, str]]
) -> None:
    wrong: dict[str, str] = {}
    for source, name in every_name:
        joined = catalogue.by_rules.join(source, name)
        if isinstance(joined, Unjoined):
            continue
        own = tiers(name) - Counter(joined.variant.split("-"))
        if not any(
            (tiers(each), sizes(each), version(each)) == (own, sizes(name), version(name))
            for each in catalogue.spellings(joined.model)
        ):
            wrong[name.lower()] = joined.model

    assert wrong.items() <= SPELLED_OTHERWISE.items() | MODEL_ALIASES.items()


@pytest.mark.real_data
def test_r8_the_words_of_a_size_agree_even_where_people_joined(
    catalogue: Catalogue, every_name: list[tuple[ScoreSource, str]]
) -> None:
    by_model: dict[str, dict[str, Counter[str]]] = {}
    for source, name in every_name:
        joined = catalogue.names.join(source, name)
        if isinstance(joined, Joined):
            own = tiers(name) - Counter(joined.variant.split("-"))
            by_model.setdefault(joined.model, {})[name] = own

    # So of all pairs of names, no two of different size ever share a model.
    mixed = {
        model: names
        for model, names in by_model.items()
        if not any(
            all(own == tiers(each) for own in names.values()) for each in catalogue.spellings(model)
        )
    }
    assert mixed == {}


@pytest.mark.real_data
def test_thinking_models_and_others_never_share_a_score(
    catalogue: Catalogue, every_name: list[tuple[ScoreSource, str]]
) -> None:
    joined = [(name, catalogue.by_rules.join(*pair)) for pair in every_name for name in pair[1:]]

    wrong = [
        (name, each.model)
        for name, each in joined
        if isinstance(each, Joined)
        and not each.variant
        and kind_of_thinking(each.model) != kind_of_thinking(name)
    ]
    assert wrong == []


@pytest.mark.real_data
@pytest.mark.parametrize("source", ScoreSource)
def test_canonical_ids_join_themselves(catalogue: Catalogue, source: ScoreSource) -> None:
    found = {model: catalogue.names.join(source, model) for model in catalogue.models}

    others = {model for model, each in found.items() if getattr(each, "model", "") != model}
    # But for the words that this source uses in its own way.
    in_own_way = {
        model
        for model in catalogue.models
        if catalogue.table.own_meaning(source, folded(model))
        or (translated(source, model) != model and "/" not in model)
    }
    assert others <= in_own_way
    assert source in {ARENA, ANALYSIS} or not in_own_way


@pytest.mark.real_data
def test_joining_is_idempotent(
    catalogue: Catalogue, every_name: list[tuple[ScoreSource, str]]
) -> None:
    for source, name in every_name:
        joined = catalogue.names.join(source, name)
        if isinstance(joined, Joined):
            again = catalogue.names.join(ScoreSource.LIVEBENCH, joined.model)
            assert isinstance(again, Joined)
            assert again.model == joined.model


@pytest.mark.real_data
def test_case_and_provider_change_nothing(
    newest: Catalogue, every_name: list[tuple[ScoreSource, str]]
) -> None:
    for source, name in every_name:
        joined = newest.names.join(source, name)
        spellings = (name.upper(), name.lower(), f"someone/{name}", f"openrouter/x/{name}")
        for each in (*spellings, f" {name} "):
            assert newest.names.join(source, each) == joined


@pytest.mark.real_data
@pytest.mark.parametrize(("source", "name", "model", "variant"), JOINS)
def test_r8_hand_checked_names_join_the_real_catalogue(
    newest: Catalogue, source: ScoreSource, name: str, model: str, variant: str
) -> None:
    joined = newest.names.join(source, name)

    assert isinstance(joined, Joined)
    assert (joined.model, joined.variant) == (model, variant)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("day", "joined_at_least", "models_at_least"),
    [("2025-12-11", 172, 152), ("2025-03-07", 97, 88)],
)
def test_an_arena_edition_is_joined_as_far_as_it_is_sold(
    newest: Catalogue, real_data: Path, day: str, joined_at_least: int, models_at_least: int
) -> None:
    found = [newest.names.join(ARENA, name) for name in full_edition(real_data, day)]

    joined = [each for each in found if isinstance(each, Joined)]
    reasons = Counter(each.reason for each in found if isinstance(each, Unjoined))
    assert len(joined) >= joined_at_least
    assert len({each.model for each in joined}) >= models_at_least
    assert reasons.keys() <= {UnjoinedReason.NO_OFFER, UnjoinedReason.NOT_SOLD}


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("source", "joined_at_least", "unknown_at_most"),
    [(ANALYSIS, 514, 17), (ScoreSource.LLM_STATS, 130, 0)],
)
def test_a_benchmark_table_is_joined_as_far_as_it_is_sold(
    newest: Catalogue,
    real_data: Path,
    source: ScoreSource,
    joined_at_least: int,
    unknown_at_most: int,
) -> None:
    found = [newest.names.join(source, name) for name in read_names(real_data)[source]]

    assert sum(isinstance(each, Joined) for each in found) >= joined_at_least
    reasons = Counter(each.reason for each in found if isinstance(each, Unjoined))
    assert reasons[UnjoinedReason.UNKNOWN_NAME] <= unknown_at_most


@given(st.sampled_from(ScoreSource), st.text(max_size=600))
def test_every_text_is_joined_or_not(source: ScoreSource, name: str) -> None:
    assert isinstance(FUZZED.join(source, name), Joined | Unjoined)


@given(
    st.sampled_from(ScoreSource),
    st.lists(
        st.sampled_from(
            [
                *("gpt", "4o", "mini", "claude", "3-5", "opus", "thinking", "high", "effort"),
                *("qwen3", "2507", "20250101", "non"),
                *" -_/.:@()+",
                "é",
                "\u2028",
                "\x00",
                "٣",
            ]
        ),
        max_size=12,
    ),
)
def test_every_heap_of_words_is_joined_or_not(source: ScoreSource, words: list[str]) -> None:
    assert isinstance(FUZZED.join(source, "-".join(words)), Joined | Unjoined)


@pytest.mark.parametrize(
    "piece", ["a", "-thinking", "-high", "1-", "(", "gpt-4o", "20250101-", "é"]
)
def test_endless_names_are_not_read(piece: str) -> None:
    for source in ScoreSource:
        assert FUZZED.join(source, piece * 10_000) == Unjoined(UnjoinedReason.UNKNOWN_NAME)
