"""The whole registry on real feeds, over gRPC."""

import gzip
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from tests.fakes import FakeClock
from tests.registry.conftest import RunningRegistry, start_registry

pytestmark = [pytest.mark.real_data, pytest.mark.xdist_group("real_registry")]

SECONDS = 60
ARENA = "lmarena/leaderboard-text_2025-12-11.json"
MEASURED = quality_pb2.QUALITY_BASIS_MEASURED
TASKS = [
    quality_pb2.TASK_GENERAL,
    quality_pb2.TASK_CODING,
    quality_pb2.TASK_MATH,
    quality_pb2.TASK_REASONING,
    quality_pb2.TASK_VISION,
    quality_pb2.TASK_LONG_CONTEXT,
]
TOOLS, VISION = traits.CAPABILITY_TOOLS, traits.CAPABILITY_VISION


def unpacked(source: Path, directory: Path) -> str:
    """Return a URL of what a compressed file holds, under the file's name."""
    target = directory / source.name.removesuffix(".gz")
    target.write_bytes(gzip.decompress(source.read_bytes()))
    return target.as_uri()


def real_settings(data: Path, directory: Path) -> dict[str, Any]:
    return {
        "litellm_url": (data / "litellm/2026-10-21_v1.106.2.json").as_uri(),
        "openrouter_url": (data / "openrouter/models_2026-08-01.json").as_uri(),
        "models_dev_url": unpacked(data / "models_dev/api_2026-04-21.json.gz", directory),
        "arena_url": unpacked(data / f"{ARENA}.gz", directory),
        "llm_stats_url": (data / "benchmarks/llm_stats_scores_2025-10-16.csv").as_uri(),
        "artificial_analysis_url": (
            data / "benchmarks/artificial_analysis_2026-10-03.json"
        ).as_uri(),
    }


async def last(stream: Any) -> Any:
    """Return the last event of a stream."""
    return [event async for event in stream][-1]


@pytest.fixture(scope="module")
async def registry(
    real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningRegistry]:
    directory = tmp_path_factory.mktemp("real")
    running = await start_registry(directory, FakeClock(), **real_settings(real_data, directory))
    yield running
    await running.stop()


@pytest.fixture(scope="module")
async def stub(registry: RunningRegistry) -> AsyncIterator[RegistryServiceStub]:
    """Return a stub of a registry that has read everything."""
    async with grpc.aio.insecure_channel(registry.address) as channel:
        stub = RegistryServiceStub(channel)
        await last(stub.SyncModels(pb.SyncModelsRequest(), timeout=SECONDS))
        await last(stub.SyncQuality(pb.SyncQualityRequest(), timeout=SECONDS))
        yield stub


async def all_models(stub: RegistryServiceStub) -> Sequence[model_pb2.Model]:
    models: list[model_pb2.Model] = []
    token = ""
    while not models or token:
        page = await stub.ListModels(
            pb.ListModelsRequest(
                filter=pb.ModelFilter(include_deprecated=True), page_size=1000, page_token=token
            ),
            timeout=SECONDS,
        )
        models += page.models
        token = page.page_info.next_page_token
    return models


def score_at(model: model_pb2.Model, task: int) -> float:
    of_task = (each.score for each in model.quality.tasks if each.task == task)
    return next(of_task, model.quality.score)


async def test_every_name_of_the_arena_is_joined_or_listed_with_its_reason(
    stub: RegistryServiceStub,
) -> None:
    unjoined = await stub.ListUnjoinedNames(
        pb.ListUnjoinedNamesRequest(source="arena", page_size=1000), timeout=SECONDS
    )
    joined = {
        score.source_model
        for model in await all_models(stub)
        if model.HasField("quality")
        for score in (
            await stub.GetQuality(pb.GetQualityRequest(model=model.model), timeout=SECONDS)
        ).scores
        if score.source == "arena" and score.task == quality_pb2.TASK_GENERAL
    }

    assert not joined & {each.source_model for each in unjoined.names}
    assert len(joined) + len(unjoined.names) == 282
    assert len(joined) >= 190
    reasons = {each.reason for each in unjoined.names}
    assert reasons == {pb.UNJOINED_REASON_NO_OFFER, pb.UNJOINED_REASON_NOT_SOLD}


def ranges() -> Iterator[tuple[float, float]]:
    ends = [0.0, 70.0, 80.0, 86.0, 90.0, 94.0, 100.0]
    yield from pairwise(ends)
    yield 0.0, 100.0


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("capabilities", [[], [TOOLS], [TOOLS, VISION]])
async def test_r13_every_ranking_is_sorted_in_range_filtered_and_without_what_is_over(
    stub: RegistryServiceStub,
    task: "quality_pb2.Task.ValueType",
    capabilities: "list[traits.Capability.ValueType]",
) -> None:
    for low, high in ranges():
        answer = await stub.ListModelsByQuality(
            pb.ListModelsByQualityRequest(
                min_quality=low, max_quality=high, task=task, capabilities=capabilities, limit=40
            ),
            timeout=SECONDS,
        )
        scores = [score_at(model, task) for model in answer.models]

        assert scores == sorted(scores, reverse=True)
        assert all(low <= score <= high for score in scores)
        assert len(answer.models) == min(answer.total_count, 40)
        for model in answer.models:
            assert model.state == model_pb2.LIFECYCLE_STATE_ACTIVE
            assert any(
                set(capabilities) <= set(offer.capabilities)
                and offer.state == model_pb2.LIFECYCLE_STATE_ACTIVE
                for offer in model.offers
            )


@pytest.mark.parametrize(
    "provider",
    [
        "openai",
        "anthropic",
        "google",
        "mistral",
        "deepseek",
        "qwen",
        "zhipu",
        "groq",
        "cohere",
        "minimax",
        "meta",
    ],
)
async def test_every_chat_model_of_a_maker_has_a_score_that_says_where_it_is_from(
    stub: RegistryServiceStub, provider: str
) -> None:
    answer = await stub.ListModels(
        pb.ListModelsRequest(
            filter=pb.ModelFilter(provider=provider, mode=traits.MODE_CHAT), page_size=1000
        ),
        timeout=SECONDS,
    )
    assert answer.models
    known = 0
    for model in answer.models:
        quality = model.quality
        assert 0 < quality.score <= 100
        assert quality.uncertainty > 0
        assert quality.sources
        is_guess = quality.basis == quality_pb2.QUALITY_BASIS_HEURISTIC
        assert is_guess or quality.HasField("edition_date")
        assert not is_guess or quality.uncertainty >= 10
        known += not is_guess
    assert known / len(answer.models) > 0.2


async def test_measured_scores_show_figure_edition_and_normalisation(
    stub: RegistryServiceStub,
) -> None:
    answer = await stub.GetQuality(pb.GetQualityRequest(model="gpt-4o-mini"), timeout=SECONDS)

    of_arena = [
        score
        for score in answer.scores
        if score.source == "arena" and score.task == quality_pb2.TASK_GENERAL
    ]
    (score,) = of_arena
    assert (score.source_model, score.metric, score.category) == (
        "gpt-4o-mini-2024-07-18",
        "elo",
        "full",
    )
    assert (score.edition_date.year, score.edition_date.month, score.edition_date.day) == (
        2025,
        12,
        11,
    )
    assert 1200 < float(score.raw_value) < 1400
    assert "link" in score.normalization
    assert score.share > 0
    assert sum(each.share for each in answer.scores if each.task == score.task) == pytest.approx(1)
    assert answer.quality.basis == MEASURED
    assert set(answer.quality.sources) == {"arena", "artificial-analysis", "llm-stats"}
    curated = next(each for each in answer.scores if each.source == "curated")
    assert (curated.score, curated.share) == (85, 0)


async def test_r8_no_smaller_model_gives_its_score_to_a_larger_one(
    stub: RegistryServiceStub,
) -> None:
    sizes = ("mini", "nano", "lite", "flash", "micro", "small", "turbo", "pro", "max")
    for model in await all_models(stub):
        if model.quality.basis != MEASURED:
            continue
        answer = await stub.GetQuality(pb.GetQualityRequest(model=model.model), timeout=SECONDS)
        names = {model.model, *model.aliases, model.display_name}
        own = {word for name in names for word in words_of(name)}
        for score in answer.scores:
            for size in sizes:
                if size in words_of(score.source_model):
                    assert size in own, (score.source_model, model.model)


def words_of(name: str) -> set[str]:
    plain = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    return set(plain.split())


async def test_the_sources_of_a_sync_are_those_that_were_asked_for(
    stub: RegistryServiceStub,
) -> None:
    outcomes = {}
    for source in (
        pb.QUALITY_SOURCE_LMSYS,
        pb.QUALITY_SOURCE_BENCHMARKS,
        pb.QUALITY_SOURCE_HEURISTIC,
        pb.QUALITY_SOURCE_AUTO,
    ):
        event = await last(
            stub.SyncQuality(pb.SyncQualityRequest(source=source, force=True), timeout=SECONDS)
        )
        outcomes[source] = {each.source: each.result for each in event.report.outcomes}

    unchanged, off = pb.SOURCE_RESULT_UNCHANGED, pb.SOURCE_RESULT_SKIPPED
    boards = {"arena": unchanged, "arena-vision": off}
    benchmarks = {
        "artificial-analysis": unchanged,
        "livebench": off,
        "llm-stats": unchanged,
    }
    assert outcomes[pb.QUALITY_SOURCE_LMSYS] == boards
    assert outcomes[pb.QUALITY_SOURCE_BENCHMARKS] == benchmarks
    assert outcomes[pb.QUALITY_SOURCE_HEURISTIC] == {}
    assert outcomes[pb.QUALITY_SOURCE_AUTO] == boards | benchmarks


async def test_r13_guesses_never_overwrite_what_was_measured(stub: RegistryServiceStub) -> None:
    before = {model.model: model.quality for model in await all_models(stub)}

    event = await last(
        stub.SyncQuality(
            pb.SyncQualityRequest(source=pb.QUALITY_SOURCE_HEURISTIC, force=True), timeout=SECONDS
        )
    )

    assert {model.model: model.quality for model in await all_models(stub)} == before
    counts = [quality.basis for quality in before.values() if quality.score]
    guessed = counts.count(quality_pb2.QUALITY_BASIS_HEURISTIC)
    assert (event.report.updated_count, event.report.skipped_count) == (
        guessed,
        len(counts) - guessed,
    )


async def test_the_status_tells_each_source_and_what_quality_rests_on(
    stub: RegistryServiceStub,
) -> None:
    status = await stub.GetRegistryStatus(pb.GetRegistryStatusRequest(), timeout=SECONDS)

    sources = {each.source: each for each in status.sources}
    assert sources["litellm"].entry_count == 4195
    assert sources["arena"].edition_date.year == 2025
    assert not sources["livebench"].enabled
    assert not any(each.problem for each in sources.values())
    assert not status.stale
    counts = {each.basis: each.model_count for each in status.basis_counts}
    assert counts[MEASURED] > 300
    assert status.offer_count > 7000


async def test_the_tier_bands_have_models_in_each_and_examples_from_within(
    stub: RegistryServiceStub,
) -> None:
    answer = await stub.ListTierBands(pb.ListTierBandsRequest(), timeout=SECONDS)

    assert [band.label for band in answer.bands] == ["0-80", "80-86", "86-90", "90-94", "94-100"]
    for band in answer.bands:
        assert band.model_count >= 3
        assert len(band.examples) == 3
        for model in band.examples:
            assert band.min_quality <= model.quality.score <= band.max_quality
