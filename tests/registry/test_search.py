"""Models found by words, however people write them."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from steelyard.registry.v1 import model_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_registry.domain.quality.scores import Task
from steelyard_registry.domain.search import SearchIndex, pieces
from tests.registry.builders import catalogue_of
from tests.registry.priced import a_model

SECONDS = 10


async def searched(
    stub: RegistryServiceStub, query: str, limit: int = 0, **conditions: object
) -> list[model_pb2.Model]:
    request = pb.SearchModelsRequest(
        query=query,
        filter=pb.ModelFilter(**conditions),  # type: ignore[arg-type]
        limit=limit,
    )
    return list((await stub.SearchModels(request, timeout=SECONDS)).models)


FIRST = [
    ("gpt 4o", "gpt-4o"),
    ("gpt4o", "gpt-4o"),
    ("gpt 4o mini", "gpt-4o-mini"),
    ("gpt4o-mini", "gpt-4o-mini"),
    ("GPT_4o_Mini", "gpt-4o-mini"),
    ("openai/gpt-4o", "gpt-4o"),
    ("openai gpt-4o", "gpt-4o"),
    ("gpt 4", "gpt-4"),
    ("gpt-4.1 nano", "gpt-4.1-nano"),
    ("claude sonnet 4.5", "claude-sonnet-4-5"),
    ("claude-4.5-sonnet", "claude-sonnet-4-5"),
    ("Sonnet 4.5", "claude-sonnet-4-5"),
    ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
    ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
    ("gemini flash 2.5", "gemini-2.5-flash"),
    ("llama 3.3 70b", "llama-3.3-70b-instruct"),
    ("llama3.3 70b", "llama-3.3-70b-instruct"),
    ("gpt-oss:20b", "gpt-oss-20b"),
    ("command r+", "command-r-plus"),
    ("deepseek r1", "deepseek-r1"),
    ("o1", "o1"),
    ("text embedding 3 large", "text-embedding-3-large"),
]


@pytest.mark.parametrize(("query", "expected"), FIRST)
async def test_the_model_that_is_meant_comes_first(
    seeded: RegistryServiceStub, query: str, expected: str
) -> None:
    assert (await searched(seeded, query, limit=1))[0].model == expected


@pytest.mark.real_data
def test_the_model_that_is_meant_comes_first_of_all_that_are_sold(real_data: Path) -> None:
    market = json.loads((real_data / "litellm" / "2026-10-21_v1.106.2.json").read_bytes())
    market.pop("sample_spec", None)
    index = SearchIndex(catalogue_of(market).edition.models.values())

    for query, expected in FIRST:
        words = query.lower().split()
        best = index.best(index.search(words), words, Task.GENERAL, 1)
        assert [model.model for model in best] == [expected], query


def found_in(*names: str, query: str, scores: Mapping[str, float] | None = None) -> list[str]:
    """Return what a search for a query finds among models of these names."""
    index = SearchIndex(a_model(name, (scores or {}).get(name, 50)) for name in names)
    words = query.lower().split()
    return [
        model.model for model in index.best(index.search(words), words, Task.GENERAL, len(names))
    ]


def test_the_better_match_comes_first_whatever_its_score() -> None:
    names = ("acme", "acme-pro", "acmeter", "new-acme", "superacme")
    scores = {name: 50.0 + 10 * place for place, name in enumerate(names)}

    assert found_in(*names, query="acme", scores=scores) == list(names)


def test_equal_matches_go_by_score_then_by_id() -> None:
    names = ("acme-a", "acme-b", "acme-c")

    found = found_in(*names, query="acme", scores={"acme-a": 80, "acme-b": 80, "acme-c": 90})

    assert found == ["acme-c", "acme-a", "acme-b"]


def test_letters_across_separators_count_from_the_beginning_of_a_part_only() -> None:
    assert found_in("acme-4-5", "acme-14-5", "acme-4-50", query="4.5") == ["acme-4-5", "acme-4-50"]


def test_all_words_must_occur() -> None:
    assert found_in("acme-pro", "acme-mini", query="acme nano") == []


def test_what_is_not_found_as_it_stands_is_found_in_pieces() -> None:
    assert pieces(["claude-4.5-sonnet", "openai/gpt_4"]) == (
        *("claude", "4.5", "sonnet"),
        *("openai", "gpt", "4"),
    )
    assert found_in("acme-pro-2", query="2-pro-acme") == ["acme-pro-2"]


@pytest.mark.parametrize("query", ["---", "/", "\x00", "ﬀ ✓", "a" * 256])
def test_nonsense_finds_nothing(query: str) -> None:
    assert found_in("acme-pro", query=query) == []


async def test_without_words_the_best_models_come_first(seeded: RegistryServiceStub) -> None:
    found = await searched(seeded, "")

    scores = [each.quality.score for each in found]
    assert len(scores) == 20
    assert scores == sorted(scores, reverse=True)


async def test_words_of_a_list_ignore_separators_as_well(seeded: RegistryServiceStub) -> None:
    request = pb.ListModelsRequest(filter=pb.ModelFilter(words="sonnet 4.5"))

    answer = await seeded.ListModels(request, timeout=SECONDS)

    assert [each.model for each in answer.models] == ["claude-sonnet-4-5"]


async def test_a_search_says_how_many_there_are_and_sends_as_many_as_asked(
    seeded: RegistryServiceStub,
) -> None:
    everything = await seeded.SearchModels(
        pb.SearchModelsRequest(query="gpt", limit=1000), timeout=SECONDS
    )

    assert len(everything.models) == 200 < everything.total_count
    assert len(await searched(seeded, "gpt", limit=3)) == 3


async def test_quality_decides_by_the_task_of_the_filter(seeded: RegistryServiceStub) -> None:
    found = await searched(seeded, "claude", max_quality=91, min_quality=85)

    assert found
    assert all(85 <= each.quality.score <= 91 for each in found)
