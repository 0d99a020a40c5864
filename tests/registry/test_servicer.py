"""Questions to a registry that knows the bundled seed, over gRPC."""

from datetime import date

import grpc
import pytest
from google.type.date_pb2 import Date

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.call_failure import CallFailure
from steelyard_common.grpc_status import failure as failure_of
from steelyard_registry.domain.models import DeprecationReason, State
from steelyard_registry.domain.modes import Capability, Mode
from steelyard_registry.domain.providers import AuthStyle, ProviderHealth, WireFormat
from steelyard_registry.domain.quality.scores import Basis, Task
from tests.registry.builders import catalogue_of, chat, curated
from tests.registry.conftest import ServeCatalogue
from tests.registry.serving import FakeHealth

SECONDS = 10
ROUTABLE = {
    *("anthropic", "cohere", "deepseek", "google", "groq", "meta", "minimax"),
    *("mistral", "ollama", "openai", "openrouter", "qwen", "zhipu"),
}


async def model(stub: RegistryServiceStub, name: str) -> model_pb2.Model:
    return (await stub.GetModel(pb.GetModelRequest(model=name), timeout=SECONDS)).model


async def ranked(stub: RegistryServiceStub, **request: object) -> list[model_pb2.Model]:
    answer = await stub.ListModelsByQuality(
        pb.ListModelsByQualityRequest(**request),  # type: ignore[arg-type]
        timeout=SECONDS,
    )
    return list(answer.models)


def failure(caught: pytest.ExceptionInfo[grpc.aio.AioRpcError]) -> CallFailure:
    return failure_of(caught.value)


async def test_a_model_is_found_with_all_that_is_known_of_it(seeded: RegistryServiceStub) -> None:
    answer = await seeded.GetModel(pb.GetModelRequest(model="gpt-4o"), timeout=SECONDS)
    found = answer.model

    assert (found.model, found.maker, found.mode) == ("gpt-4o", "openai", traits.MODE_CHAT)
    assert found.offers[0].offer == "openai/gpt-4o"
    assert {"azure/gpt-4o", "azure/eu/gpt-4o-2024-08-06"} <= {it.offer for it in found.offers}
    assert {traits.CAPABILITY_TOOLS, traits.CAPABILITY_VISION} <= set(found.capabilities)
    assert found.offers[0].max_input_token_count == 128000
    assert found.offers[0].source == "seed"
    assert found.offers[0].observed_time.ToDatetime().isoformat() == "2026-10-21T00:00:00"
    assert found.state == model_pb2.LIFECYCLE_STATE_ACTIVE
    assert (found.quality.score, found.quality.source) == (86.5, "curated")
    assert found.quality.edition_date == Date(year=2026, month=10, day=3)
    assert answer.catalog_version > 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai/gpt-4o", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("GPT-4o", "gpt-4o"),
        ("gemini/gemini-2.5-pro", "gemini-2.5-pro"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("vertex_ai/claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("llama-3.3-70b-versatile", "llama-3.3-70b-instruct"),
    ],
)
async def test_a_model_is_found_by_other_names(
    seeded: RegistryServiceStub, name: str, expected: str
) -> None:
    assert (await model(seeded, name)).model == expected


@pytest.mark.parametrize("method", ["GetModel", "GetQuality"])
async def test_an_unknown_model_is_not_found_and_the_nearest_are_named(
    seeded: RegistryServiceStub, method: str
) -> None:
    request = {"GetModel": pb.GetModelRequest, "GetQuality": pb.GetQualityRequest}[method]

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(seeded, method)(request(model="gpt-4-mini"), timeout=SECONDS)

    failed = failure(caught)
    assert failed.code is grpc.StatusCode.NOT_FOUND
    assert failed.reason == reasons.ERROR_REASON_MODEL_NOT_FOUND
    assert "gpt-4o-mini" in failed.metadata["nearest"].split(",")


@pytest.mark.parametrize("name", ["", "\x00", "x" * 100_000, "../../etc", "openai/", "/"])
async def test_nonsense_is_refused_and_never_a_fault_of_ours(
    seeded: RegistryServiceStub, name: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await model(seeded, name)

    assert caught.value.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}


async def test_a_search_puts_the_best_match_first(seeded: RegistryServiceStub) -> None:
    request = pb.SearchModelsRequest(query="gpt 4o", limit=5)

    answer = await seeded.SearchModels(request, timeout=SECONDS)

    assert answer.models[0].model == "gpt-4o"
    assert len(answer.models) == 5 < answer.total_count
    assert all("gpt" in each.model and "4o" in each.model for each in answer.models)


async def test_a_search_applies_its_filter_and_ignores_the_filters_words(
    seeded: RegistryServiceStub,
) -> None:
    request = pb.SearchModelsRequest(
        query="sonnet", filter=pb.ModelFilter(words="gpt", min_quality=94, provider="anthropic")
    )

    answer = await seeded.SearchModels(request, timeout=SECONDS)

    assert [each.model for each in answer.models] == ["claude-sonnet-5-5", "claude-sonnet-5"]


async def test_r13_filters_come_before_the_limit(seeded: RegistryServiceStub) -> None:
    audio = [traits.CAPABILITY_AUDIO_INPUT]

    best = await ranked(seeded, limit=3)
    hearing = await ranked(seeded, limit=3, capabilities=audio)

    assert len(best) == len(hearing) == 3
    assert all(not set(audio) <= set(each.capabilities) for each in best[:1])
    assert all(set(audio) <= set(each.capabilities) for each in hearing)
    assert hearing[0].quality.score < best[0].quality.score


async def test_a_ranking_is_sorted_in_range_and_without_the_deprecated(
    seeded: RegistryServiceStub,
) -> None:
    found = await ranked(seeded, min_quality=86, max_quality=90, limit=1000)

    scores = [each.quality.score for each in found]
    assert scores == sorted(scores, reverse=True)
    assert 86 <= scores[-1] <= scores[0] <= 90
    assert all(each.state == model_pb2.LIFECYCLE_STATE_ACTIVE for each in found)
    assert all(each.mode in {traits.MODE_CHAT, traits.MODE_COMPLETION} for each in found)


async def test_a_ranking_starts_at_80_unless_told_otherwise(seeded: RegistryServiceStub) -> None:
    assert min(each.quality.score for each in await ranked(seeded, limit=1000)) == 80
    assert min(each.quality.score for each in await ranked(seeded, limit=1000, min_quality=0)) < 80


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("min_quality", {"min_quality": 90.0, "max_quality": 80.0}),
        ("min_quality", {"min_quality": -1.0}),
        ("max_quality", {"max_quality": 100.5}),
        ("task", {"task": 99}),
        ("capabilities[1]", {"capabilities": [1, 99]}),
        ("limit", {"limit": -1}),
    ],
)
async def test_a_bad_field_of_a_ranking_is_named(
    seeded: RegistryServiceStub, field: str, request_: dict[str, object]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ranked(seeded, **request_)

    assert failure(caught).violations[0].field == field


async def test_a_ranking_by_task_uses_the_scores_of_the_task(
    serve_catalogue: ServeCatalogue,
) -> None:
    models = {"gpt-4o": chat("openai"), "o1": chat("openai")}
    evidence = {
        "gpt-4o": [curated("gpt-4o", 90), curated("gpt-4o", 81, task=Task.CODING)],
        "o1": [curated("o1", 85)],
    }
    stub = await serve_catalogue(catalogue_of(models, evidence=evidence))

    general = await ranked(stub)
    coding = await ranked(stub, task=quality_pb2.TASK_CODING)

    assert [each.model for each in general] == ["gpt-4o", "o1"]
    assert [each.model for each in coding] == ["o1", "gpt-4o"]


async def test_every_score_of_a_model_is_shown_with_its_origin(
    seeded: RegistryServiceStub,
) -> None:
    answer = await seeded.GetQuality(pb.GetQualityRequest(model="gpt-4o-mini"), timeout=SECONDS)

    by_hand, guessed = answer.scores
    assert (answer.quality.score, answer.quality.basis) == (85, quality_pb2.QUALITY_BASIS_CURATED)
    assert (by_hand.score, by_hand.source, by_hand.stale) == (85, "curated", False)
    assert "2026-10-03" in by_hand.normalization
    assert guessed.basis == quality_pb2.QUALITY_BASIS_HEURISTIC
    assert guessed.uncertainty > 2 * by_hand.uncertainty
    assert not guessed.HasField("edition_date")


async def test_old_evidence_is_shown_as_stale(serve_catalogue: ServeCatalogue) -> None:
    old = {"gpt-4o": [curated("gpt-4o", 86.5, edition_date=date(2025, 12, 11))]}
    stub = await serve_catalogue(catalogue_of({"gpt-4o": chat("openai")}, evidence=old))

    answer = await stub.GetQuality(pb.GetQualityRequest(model="gpt-4o"), timeout=SECONDS)

    assert answer.quality.stale
    assert [score.stale for score in answer.scores] == [True, False]


async def test_a_model_without_scores_has_no_quality(seeded: RegistryServiceStub) -> None:
    request = pb.GetQualityRequest(model="text-embedding-3-small")

    answer = await seeded.GetQuality(request, timeout=SECONDS)

    assert not answer.HasField("quality")
    assert list(answer.scores) == []


async def test_all_sellers_are_listed_and_the_routable_ones_say_how(
    seeded: RegistryServiceStub,
) -> None:
    answer = await seeded.ListProviders(pb.ListProvidersRequest(), timeout=SECONDS)

    by_id = {each.provider: each for each in answer.providers}
    assert list(by_id) == sorted(by_id)
    assert {name for name, each in by_id.items() if each.routable} == ROUTABLE
    assert by_id["anthropic"].base_url == "https://api.anthropic.com/v1"
    assert by_id["anthropic"].wire_format == model_pb2.WIRE_FORMAT_ANTHROPIC
    assert by_id["google"].auth_style == model_pb2.AUTH_STYLE_X_GOOG_API_KEY
    assert list(by_id["google"].key_variables) == ["GOOGLE_API_KEY", "GEMINI_API_KEY"]
    assert by_id["openai"].offer_count > 100
    assert not by_id["bedrock"].routable
    assert not by_id["bedrock"].base_url
    assert not any(each.HasField("health") for each in answer.providers)
    assert len(by_id) > 100


async def test_only_routable_sellers_on_request(seeded: RegistryServiceStub) -> None:
    request = pb.ListProvidersRequest(routable_only=True)

    answer = await seeded.ListProviders(request, timeout=SECONDS)

    assert {each.provider for each in answer.providers} == ROUTABLE


async def test_health_is_shown_when_it_is_asked_for(serve_catalogue: ServeCatalogue) -> None:
    ill = ProviderHealth(score=0.25, state="UNHEALTHY", sample_count=40)
    catalogue = catalogue_of({"gpt-4o": chat("openai"), "groq/x": chat("groq")})
    stub = await serve_catalogue(catalogue, FakeHealth({"openai": ill}))

    answer = await stub.ListProviders(pb.ListProvidersRequest(include_health=True), timeout=SECONDS)

    health = {each.provider: each.health for each in answer.providers}
    assert (health["openai"].score, health["openai"].state) == (0.25, "UNHEALTHY")
    assert (health["groq"].score, health["groq"].state) == (1, "UNKNOWN")


async def test_providers_are_listed_without_health_when_nobody_tells_it(
    seeded: RegistryServiceStub,
) -> None:
    request = pb.ListProvidersRequest(include_health=True, routable_only=True)

    answer = await seeded.ListProviders(request, timeout=SECONDS)

    assert len(answer.providers) == len(ROUTABLE)
    assert not any(each.HasField("health") for each in answer.providers)


async def test_one_seller_is_found(seeded: RegistryServiceStub) -> None:
    request = pb.GetProviderRequest(provider="groq")

    found = (await seeded.GetProvider(request, timeout=SECONDS)).provider

    assert (found.display_name, found.status_format) == ("Groq", "statuspage")
    assert found.status_page_url == "https://groqstatus.com"


async def test_an_unknown_seller_is_not_found_and_the_nearest_are_named(
    seeded: RegistryServiceStub,
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await seeded.GetProvider(pb.GetProviderRequest(provider="antropic"), timeout=SECONDS)

    failed = failure(caught)
    assert failed.reason == reasons.ERROR_REASON_PROVIDER_NOT_FOUND
    assert failed.metadata["nearest"].split(",")[0] == "anthropic"


@pytest.mark.parametrize(
    ("offer", "provider", "provider_model"),
    [
        ("groq/openai/gpt-oss-20b", "groq", "openai/gpt-oss-20b"),
        (
            "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("deepinfra/deepseek-ai/DeepSeek-V3.1", "deepinfra", "deepseek-ai/DeepSeek-V3.1"),
        ("google/gemini-2.5-pro", "google", "gemini-2.5-pro"),
    ],
)
async def test_q3_an_offer_names_its_seller_and_the_id_that_the_seller_understands(
    seeded: RegistryServiceStub, offer: str, provider: str, provider_model: str
) -> None:
    found = {each.offer: each for each in (await model(seeded, offer)).offers}[offer]

    assert (found.provider, found.provider_model) == (provider, provider_model)


@pytest.mark.parametrize(
    ("ours", "contract"),
    [
        (Mode, traits.Mode),
        (Capability, traits.Capability),
        (WireFormat, model_pb2.WireFormat),
        (AuthStyle, model_pb2.AuthStyle),
        (Basis, quality_pb2.QualityBasis),
        (Task, quality_pb2.Task),
        (DeprecationReason, model_pb2.DeprecationReason),
        (State, model_pb2.LifecycleState),
    ],
)
def test_our_numbers_are_those_of_the_contract(ours: type, contract: object) -> None:
    prefix = {"AuthStyle": "AUTH_STYLE_", "WireFormat": "WIRE_FORMAT_"}.get(ours.__name__, "")
    theirs = {value: name for name, value in contract.items()}  # type: ignore[attr-defined]

    mine = {int(each): each.name for each in ours if int(each)}  # type: ignore[attr-defined]

    assert set(mine) == set(theirs) - {0}
    assert all(theirs[number].endswith(name) for number, name in mine.items())
    assert all(theirs[number].startswith(prefix) for number in mine)
