"""What people decide about models, over gRPC."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_common.page_tokens import to_page_token
from steelyard_registry.domain.models import State
from steelyard_registry.messages.page_tokens import question_of
from tests.conftest import Serve
from tests.fakes import FakeClock
from tests.registry.builders import chat
from tests.registry.keeping import Keeping, keeping
from tests.registry.serving import servicer_of

SEED = {
    "gpt-4o": chat("openai"),
    "openrouter/openai/gpt-4o": chat("openrouter"),
    "gpt-4o-mini": chat("openai"),
    "text-embedding-3-small": {"litellm_provider": "openai", "mode": "embedding"},
    "gpt-old": chat("openai", deprecation_date="2026-01-01"),
}
DEPRECATED, ACTIVE = model_pb2.LIFECYCLE_STATE_DEPRECATED, model_pb2.LIFECYCLE_STATE_ACTIVE
BY_HAND = model_pb2.DEPRECATION_REASON_BY_HAND
OPENROUTERS = "openrouter/openai/gpt-4o"


@pytest.fixture
async def kept(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Keeping]:
    async with keeping(tmp_path, clock, SEED) as kept:
        yield kept


@pytest.fixture
async def stub(kept: Keeping, serve: Serve, clock: FakeClock) -> pb_grpc.RegistryServiceStub:
    servicer = servicer_of(kept, clock)
    channel = await serve(pb_grpc.add_RegistryServiceServicer_to_server, servicer)
    return pb_grpc.RegistryServiceStub(channel)


def states(model: model_pb2.Model) -> dict[str, "model_pb2.LifecycleState.ValueType"]:
    return {offer.offer: offer.state for offer in model.offers}


async def reason_of(call: object) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]
    return f"{caught.value.code().name}: {caught.value.details()}"


async def test_a_model_is_taken_out_with_all_its_offers_and_put_back(
    stub: pb_grpc.RegistryServiceStub,
) -> None:
    out = await stub.DeprecateModel(pb.DeprecateModelRequest(model="GPT-4o", note="too dear"))
    back = await stub.RestoreModel(pb.RestoreModelRequest(model="gpt-4o"))

    assert out.model.state == DEPRECATED
    assert {each.deprecation_reason for each in out.model.offers} == {BY_HAND}
    assert back.model.state == ACTIVE
    assert set(states(back.model).values()) == {ACTIVE}


async def test_one_offer_is_taken_out_and_the_model_stays(
    stub: pb_grpc.RegistryServiceStub,
) -> None:
    out = await stub.DeprecateModel(pb.DeprecateModelRequest(model=OPENROUTERS))

    assert states(out.model) == {"openai/gpt-4o": ACTIVE, OPENROUTERS: DEPRECATED}
    assert out.model.state == ACTIVE


async def test_one_offer_of_a_model_that_is_out_is_put_back(
    stub: pb_grpc.RegistryServiceStub,
) -> None:
    await stub.DeprecateModel(pb.DeprecateModelRequest(model="gpt-4o"))

    back = await stub.RestoreModel(pb.RestoreModelRequest(model=OPENROUTERS))

    assert states(back.model) == {"openai/gpt-4o": DEPRECATED, OPENROUTERS: ACTIVE}


async def test_what_its_seller_ended_stays_when_a_person_restores_it(
    stub: pb_grpc.RegistryServiceStub, clock: FakeClock, tmp_path: Path
) -> None:
    back = await stub.RestoreModel(pb.RestoreModelRequest(model="gpt-old"))
    async with keeping(tmp_path, clock, SEED) as after_a_restart:
        restarted = after_a_restart.offer("openai/gpt-old").state

    assert back.model.state == ACTIVE
    assert restarted is State.ACTIVE
    again = await stub.DeprecateModel(pb.DeprecateModelRequest(model="gpt-old"))
    assert again.model.offers[0].deprecation_reason == BY_HAND


async def test_a_seller_end_under_a_persons_word_does_not_come_through_when_it_is_restored(
    stub: pb_grpc.RegistryServiceStub,
) -> None:
    await stub.DeprecateModel(pb.DeprecateModelRequest(model="gpt-old"))

    back = await stub.RestoreModel(pb.RestoreModelRequest(model="gpt-old"))

    assert back.model.state == ACTIVE


async def test_what_is_not_out_cannot_be_put_back(stub: pb_grpc.RegistryServiceStub) -> None:
    problem = await reason_of(stub.RestoreModel(pb.RestoreModelRequest(model="gpt-4o")))
    unknown = await reason_of(stub.DeprecateModel(pb.DeprecateModelRequest(model="gpt-nope")))

    assert problem == "FAILED_PRECONDITION: model gpt-4o is active"
    assert unknown.startswith("NOT_FOUND")


async def test_a_persons_score_wins_until_it_expires(
    stub: pb_grpc.RegistryServiceStub, kept: Keeping, clock: FakeClock
) -> None:
    before = await stub.GetQuality(pb.GetQualityRequest(model="gpt-4o"))
    score = quality_pb2.QualityScore(model="gpt-4o", score=12, note="evals of our own")
    score.expire_time.FromDatetime(clock.now() + timedelta(days=10))

    during = await stub.SetQuality(pb.SetQualityRequest(score=score))
    shown = await stub.GetQuality(pb.GetQualityRequest(model="gpt-4o"))
    await clock.advance(10 * 86_400 - 1)
    await kept.publisher.publish(lambda state: state)
    still = await stub.GetQuality(pb.GetQualityRequest(model="gpt-4o"))
    await clock.advance(1)
    await kept.publisher.publish(lambda state: state)
    after = await stub.GetQuality(pb.GetQualityRequest(model="gpt-4o"))

    assert (during.quality.score, during.quality.correction) == (12, True)
    assert during.quality.sources == ["operator"]
    assert [(each.source, each.share) for each in shown.scores if each.correction] == [
        ("operator", 1.0)
    ]
    assert still.quality.score == 12
    assert after.quality.score == before.quality.score
    assert not kept.publisher.state.corrections


async def test_a_score_of_a_task_leaves_the_general_one(stub: pb_grpc.RegistryServiceStub) -> None:
    before = await stub.GetQuality(pb.GetQualityRequest(model="gpt-4o"))
    score = quality_pb2.QualityScore(model="gpt-4o", score=99, task=quality_pb2.TASK_CODING)

    after = await stub.SetQuality(pb.SetQualityRequest(score=score))

    assert after.quality.score == before.quality.score
    assert [(each.task, each.score) for each in after.quality.tasks] == [
        (quality_pb2.TASK_CODING, 99)
    ]


async def test_a_score_that_was_set_is_taken_back(stub: pb_grpc.RegistryServiceStub) -> None:
    before = await stub.GetQuality(pb.GetQualityRequest(model="gpt-4o"))
    await stub.SetQuality(
        pb.SetQualityRequest(score=quality_pb2.QualityScore(model="gpt-4o", score=12))
    )

    after = await stub.ClearQuality(pb.ClearQualityRequest(model="openai/gpt-4o"))

    assert after.quality == before.quality
    problem = await reason_of(stub.ClearQuality(pb.ClearQualityRequest(model="gpt-4o")))
    assert problem == "FAILED_PRECONDITION: quality gpt-4o is not set"


@pytest.mark.parametrize(
    "score",
    [
        quality_pb2.QualityScore(model="gpt-4o", score=101),
        quality_pb2.QualityScore(model="gpt-4o", score=float("nan")),
        quality_pb2.QualityScore(model="gpt-4o", score=50, uncertainty=-1),
        quality_pb2.QualityScore(model="gpt-4o", score=50, note="x" * 1001),
        quality_pb2.QualityScore(model="gpt-4o", score=50, expire_time=Timestamp(seconds=1)),
        quality_pb2.QualityScore(model="gpt-4o", score=50, task=99),  # type: ignore[arg-type]
    ],
)
async def test_a_score_out_of_range_is_refused(
    stub: pb_grpc.RegistryServiceStub, score: quality_pb2.QualityScore
) -> None:
    problem = await reason_of(stub.SetQuality(pb.SetQualityRequest(score=score)))

    assert problem.startswith("INVALID_ARGUMENT")


async def test_the_history_tells_who_did_what_and_why_newest_first(
    stub: pb_grpc.RegistryServiceStub,
) -> None:
    await stub.DeprecateModel(pb.DeprecateModelRequest(model=OPENROUTERS, note="flaky"))
    await stub.SetQuality(
        pb.SetQualityRequest(score=quality_pb2.QualityScore(model="gpt-4o", score=12, note="evals"))
    )
    await stub.RestoreModel(pb.RestoreModelRequest(model=OPENROUTERS, note="mended"))

    first = await stub.ListCatalogEvents(pb.ListCatalogEventsRequest(model="gpt-4o", page_size=2))
    second = await stub.ListCatalogEvents(
        pb.ListCatalogEventsRequest(
            model="gpt-4o", page_size=2, page_token=first.page_info.next_page_token
        )
    )

    told = [(each.kind, each.offer, each.note) for each in (*first.events, *second.events)]
    assert told == [
        (pb.CATALOG_EVENT_KIND_RESTORED, OPENROUTERS, "mended"),
        (pb.CATALOG_EVENT_KIND_QUALITY_SET, "", "evals"),
        (pb.CATALOG_EVENT_KIND_DEPRECATED, OPENROUTERS, "flaky"),
    ]
    assert {each.actor for each in first.events} == {"local"}
    assert first.page_info.total_count == 3
    assert not second.page_info.next_page_token


async def test_the_history_of_one_kind_and_of_names_that_nobody_knows(
    stub: pb_grpc.RegistryServiceStub,
) -> None:
    await stub.DeprecateModel(pb.DeprecateModelRequest(model=OPENROUTERS))

    restored = await stub.ListCatalogEvents(
        pb.ListCatalogEventsRequest(kind=pb.CATALOG_EVENT_KIND_RESTORED)
    )
    unknown = await reason_of(stub.ListCatalogEvents(pb.ListCatalogEventsRequest(model="gpt-nope")))
    rubbish = pb.ListCatalogEventsRequest(page_token="?")  # noqa: S106 - no secret
    token = await reason_of(stub.ListCatalogEvents(rubbish))

    assert not restored.events
    assert unknown.startswith("NOT_FOUND")
    assert token.startswith("INVALID_ARGUMENT")


async def test_decisions_outlive_a_restart_and_reach_other_replicas(
    stub: pb_grpc.RegistryServiceStub, tmp_path: Path, clock: FakeClock
) -> None:
    async with keeping(tmp_path, clock, SEED) as other:
        await stub.DeprecateModel(pb.DeprecateModelRequest(model="gpt-4o-mini"))
        await stub.SetQuality(
            pb.SetQualityRequest(score=quality_pb2.QualityScore(model="gpt-4o", score=12))
        )
        await other.publisher.catch_up()
        models = other.edition.models
    async with keeping(tmp_path, clock, SEED) as restarted:
        again = restarted.edition.models

    assert models["gpt-4o-mini"].offers[0].state.name == "DEPRECATED"
    assert models["gpt-4o"].score == 12
    assert again == models


async def test_a_decision_is_one_event_however_many_offers_there_are_and_also_of_what_is_over(
    stub: pb_grpc.RegistryServiceStub,
) -> None:
    await stub.DeprecateModel(pb.DeprecateModelRequest(model="gpt-4o", note="all of it"))
    await stub.DeprecateModel(pb.DeprecateModelRequest(model="gpt-old", note="ended anyway"))

    answer = await stub.ListCatalogEvents(pb.ListCatalogEventsRequest())

    assert [(each.model, each.offer, each.note) for each in answer.events] == [
        ("gpt-old", "", "ended anyway"),
        ("gpt-4o", "", "all of it"),
    ]


async def test_names_that_are_too_long_and_tokens_of_no_number_are_refused(
    stub: pb_grpc.RegistryServiceStub,
) -> None:
    name = await reason_of(stub.GetModel(pb.GetModelRequest(model="1-" * 2000)))
    question = question_of(pb.ListCatalogEventsRequest())
    for place in (float("inf"), float("nan"), 1e300, -1, 1.5, 2**63, True, "7"):
        request = pb.ListCatalogEventsRequest(page_token=to_page_token(question, place))
        assert (await reason_of(stub.ListCatalogEvents(request))).startswith("INVALID_ARGUMENT")
    assert name.startswith("INVALID_ARGUMENT")


async def test_what_has_no_quality_is_given_none(
    stub: pb_grpc.RegistryServiceStub,
) -> None:
    score = quality_pb2.QualityScore(model="text-embedding-3-small", score=50)

    problem = await reason_of(stub.SetQuality(pb.SetQualityRequest(score=score)))

    assert problem.startswith("FAILED_PRECONDITION")
