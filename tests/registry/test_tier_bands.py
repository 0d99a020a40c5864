"""The quality that each tier stands for."""

import grpc
import pytest

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.grpc_status import failure
from steelyard_registry.domain.tier_bands import tier_bands
from tests.registry.priced import a_model

SECONDS = 10


async def bands(stub: RegistryServiceStub, example_count: int = 0) -> list[pb.TierBand]:
    request = pb.ListTierBandsRequest(example_count=example_count)
    return list((await stub.ListTierBands(request, timeout=SECONDS)).bands)


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (0, "micro"),
        (79.99, "micro"),
        (80, "standard"),
        (85.99, "standard"),
        (86, "versatile"),
        (90, "heavy"),
        (93.99, "heavy"),
        (94, "complex"),
        (100, "complex"),
    ],
)
def test_a_band_begins_with_its_lower_end(score: float, tier: str) -> None:
    found = tier_bands([a_model("x", score)])

    assert [band.tier for band in found if band.models] == [tier]


def test_the_best_come_first_and_equals_by_id() -> None:
    versatile = tier_bands([a_model("b", 88), a_model("a", 88), a_model("c", 89)])[2]

    assert [model.model for model in versatile.models] == ["c", "a", "b"]


async def test_the_bands_are_those_of_the_tiers(seeded: RegistryServiceStub) -> None:
    found = await bands(seeded)

    assert [(band.tier, band.label) for band in found] == [
        ("micro", "0-80"),
        ("standard", "80-86"),
        ("versatile", "86-90"),
        ("heavy", "90-94"),
        ("complex", "94-100"),
    ]
    ends = [(band.min_quality, band.max_quality) for band in found]
    assert ends == [(0, 80), (80, 86), (86, 90), (90, 94), (94, 100)]


async def test_each_chat_model_that_can_be_routed_to_is_in_one_band(
    seeded: RegistryServiceStub,
) -> None:
    request = pb.ListModelsRequest(filter=pb.ModelFilter(mode=traits.MODE_CHAT, routable_only=True))
    total = (await seeded.ListModels(request, timeout=SECONDS)).page_info.total_count

    found = await bands(seeded, example_count=10)

    assert sum(band.model_count for band in found) == total > 100
    for band in found:
        scores = [each.quality.score for each in band.examples]
        assert scores == sorted(scores, reverse=True)
        assert all(band.min_quality <= score < band.max_quality for score in scores)
        assert len(scores) == min(10, band.model_count)
        assert all(each.state == model_pb2.LIFECYCLE_STATE_ACTIVE for each in band.examples)
        assert all(each.mode == traits.MODE_CHAT for each in band.examples)


async def test_three_examples_unless_told_otherwise_and_ten_at_most(
    seeded: RegistryServiceStub,
) -> None:
    assert {len(band.examples) for band in await bands(seeded)} == {3}
    assert max(len(band.examples) for band in await bands(seeded, example_count=500)) == 10


async def test_a_negative_count_is_refused(seeded: RegistryServiceStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bands(seeded, example_count=-1)

    assert failure(caught.value).violations[0].field == "example_count"
