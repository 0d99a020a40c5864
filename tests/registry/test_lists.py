"""Lists of models, page by page, over gRPC."""

import grpc
import pytest
from google.type.date_pb2 import Date

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.grpc_status import failure
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.domain.quality.scores import Task
from tests.registry.builders import catalogue_of, chat, curated
from tests.registry.conftest import ServeCatalogue

SECONDS = 10


async def listed(stub: RegistryServiceStub, **request: object) -> pb.ListModelsResponse:
    return await stub.ListModels(pb.ListModelsRequest(**request), timeout=SECONDS)  # type: ignore[arg-type]


async def test_pages_lead_through_the_whole_list_once(seeded: RegistryServiceStub) -> None:
    for order in ("", "model desc", "quality desc", "context_window", "release_date desc"):
        seen: list[str] = []
        token = ""
        while True:
            page = await listed(seeded, order_by=order, page_size=700, page_token=token)
            seen += [each.model for each in page.models]
            token = page.page_info.next_page_token
            if not token:
                break

        assert len(seen) == len(set(seen)) == page.page_info.total_count > 1000


async def test_lists_come_in_the_order_asked_for(seeded: RegistryServiceStub) -> None:
    by_name = [each.model for each in (await listed(seeded, page_size=1000)).models]
    backwards = [each.model for each in (await listed(seeded, order_by="model desc")).models]
    by_quality = (await listed(seeded, order_by="quality desc")).models
    windows = (await listed(seeded, order_by="context_window desc")).models

    assert by_name == sorted(by_name)
    assert backwards == sorted(backwards, reverse=True)
    scores = [each.quality.score for each in by_quality]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] >= 97
    sizes = [each.context_window_token_count for each in windows]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 1_000_000


async def test_filters_hold_together(seeded: RegistryServiceStub) -> None:
    wanted = [traits.CAPABILITY_TOOLS, traits.CAPABILITY_VISION]
    answer = await listed(
        seeded,
        filter=pb.ModelFilter(
            words="Claude SONNET",
            provider="anthropic",
            mode=traits.MODE_CHAT,
            capabilities=wanted,
            min_quality=92,
            min_context_window_token_count=100_000,
            routable_only=True,
        ),
    )

    assert {each.model for each in answer.models} == {
        "claude-sonnet-4-6",
        "claude-sonnet-5",
        "claude-sonnet-5-5",
    }
    for each in answer.models:
        assert any(
            offer.provider == "anthropic" and set(wanted) <= set(offer.capabilities)
            for offer in each.offers
        )


async def test_deprecated_models_are_listed_only_on_request(seeded: RegistryServiceStub) -> None:
    without = await listed(seeded, page_size=1)
    everything = await listed(seeded, filter=pb.ModelFilter(include_deprecated=True), page_size=1)
    one = (
        await seeded.GetModel(pb.GetModelRequest(model="claude-mythos-preview"), timeout=SECONDS)
    ).model

    assert one.offers[0].state == model_pb2.LIFECYCLE_STATE_DEPRECATED
    assert one.offers[0].deprecation_date == Date(year=2026, month=6, day=9)
    assert 0 < without.page_info.total_count < everything.page_info.total_count


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("order_by", {"order_by": "price"}),
        ("order_by", {"order_by": "quality down"}),
        ("page_size", {"page_size": -1}),
        ("page_token", {"page_token": "nonsense"}),
        ("page_token", {"page_token": "WzEsMiwzXQ=="}),
        ("page_token", {"page_token": "W1tbW1tb"}),
        ("filter.min_quality", {"filter": pb.ModelFilter(min_quality=101)}),
        ("filter.min_quality", {"filter": pb.ModelFilter(min_quality=float("nan"))}),
        ("filter.min_quality", {"filter": pb.ModelFilter(min_quality=float("-inf"))}),
        ("filter.min_quality", {"filter": pb.ModelFilter(min_quality=91, max_quality=90)}),
        ("filter.max_quality", {"filter": pb.ModelFilter(max_quality=float("nan"))}),
        ("filter.max_quality", {"filter": pb.ModelFilter(max_quality=float("inf"))}),
        ("filter.max_quality", {"filter": pb.ModelFilter(max_quality=-1)}),
        ("filter.max_blended_picodollars", {"filter": pb.ModelFilter(max_blended_picodollars=-1)}),
        ("filter.task", {"filter": pb.ModelFilter(task=99)}),  # type: ignore[arg-type]
        ("filter.mode", {"filter": pb.ModelFilter(mode=99)}),  # type: ignore[arg-type]
        ("filter.capabilities[0]", {"filter": pb.ModelFilter(capabilities=[0])}),  # type: ignore[list-item]
        (
            "filter.min_context_window_token_count",
            {"filter": pb.ModelFilter(min_context_window_token_count=-1)},
        ),
        ("filter.words", {"filter": pb.ModelFilter(words="x" * 300)}),
    ],
)
async def test_a_bad_field_of_a_list_is_named(
    seeded: RegistryServiceStub, field: str, request_: dict[str, object]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await listed(seeded, **request_)

    failed = failure(caught.value)
    assert failed.reason == reasons.ERROR_REASON_INVALID_FIELD
    assert [violation.field for violation in failed.violations] == [field]


async def test_a_list_may_have_a_largest_quality(seeded: RegistryServiceStub) -> None:
    best_first = {"order_by": "quality desc", "page_size": 1000}
    whole = await listed(seeded, **best_first)
    lower = await listed(seeded, filter=pb.ModelFilter(max_quality=85), **best_first)
    nothing = await listed(seeded, filter=pb.ModelFilter(max_quality=0))
    any_quality = await listed(seeded, filter=pb.ModelFilter(max_quality=100), **best_first)

    assert 80 < lower.models[0].quality.score <= 85
    assert lower.page_info.total_count < whole.page_info.total_count
    assert all(each.HasField("quality") for each in lower.models)
    assert list(nothing.models) == []
    assert any_quality.page_info.total_count == whole.page_info.total_count


async def test_quality_in_a_list_is_that_of_the_task(serve_catalogue: ServeCatalogue) -> None:
    models = {"gpt-4o": chat("openai"), "o1": chat("openai")}
    evidence = {
        "gpt-4o": [curated("gpt-4o", 90), curated("gpt-4o", 81, task=Task.CODING)],
        "o1": [curated("o1", 85)],
    }
    stub = await serve_catalogue(catalogue_of(models, evidence=evidence))
    coding = pb.ModelFilter(task=quality_pb2.TASK_CODING)

    order = {"order_by": "quality desc", "page_size": 1}
    first = await listed(stub, filter=coding, **order)
    token = first.page_info.next_page_token
    second = await listed(stub, filter=coding, page_token=token, **order)
    coding.min_quality = 82
    good = await listed(stub, filter=coding)

    assert [each.model for each in (*first.models, *second.models)] == ["o1", "gpt-4o"]
    assert [each.model for each in good.models] == ["o1"]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await listed(stub, page_token=token, **order)
    assert failure(caught.value).violations[0].field == "page_token"


async def test_a_token_is_good_for_its_own_list_only(seeded: RegistryServiceStub) -> None:
    token = (await listed(seeded, page_size=1)).page_info.next_page_token

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await listed(seeded, order_by="quality", page_token=token)

    assert failure(caught.value).violations[0].field == "page_token"
    assert len((await listed(seeded, page_size=7, page_token=token)).models) == 7


async def test_pages_go_on_where_they_were_when_the_catalogue_changes(
    serve_catalogue: ServeCatalogue,
) -> None:
    older = catalogue_of({name: chat("openai") for name in ("gpt-b", "gpt-c", "gpt-d", "gpt-e")})
    live = LiveCatalogue(older)
    stub = await serve_catalogue(live)
    first = await listed(stub, page_size=2)

    # The last model of the first page is gone, and there is a new one before it.
    newer = {name: chat("openai") for name in ("gpt-a", "gpt-b", "gpt-d", "gpt-e")}
    live.publish(catalogue_of(newer, version=2))
    second = await listed(stub, page_size=2, page_token=first.page_info.next_page_token)

    assert [each.model for each in first.models] == ["gpt-b", "gpt-c"]
    assert [each.model for each in second.models] == ["gpt-d", "gpt-e"]
    assert (first.catalog_version, second.catalog_version) == (1, 2)


async def test_a_page_is_never_larger_than_a_thousand(seeded: RegistryServiceStub) -> None:
    assert len((await listed(seeded, page_size=5000)).models) == 1000
    assert len((await listed(seeded)).models) == 50
