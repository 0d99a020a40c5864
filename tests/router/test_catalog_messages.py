"""What the registry sends, as the router takes it."""

from datetime import date

import pytest
from google.type.date_pb2 import Date

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard_router.adapters.catalog_messages import to_offers
from steelyard_router.domain import capability
from steelyard_router.domain.catalog import Offer

TODAY = date(2026, 11, 24)


def the_offer(**fields: object) -> Offer:
    message = model_pb2.Offer(
        offer="openai/gpt-1",
        provider="openai",
        mode=traits.MODE_CHAT,
        state=model_pb2.LIFECYCLE_STATE_ACTIVE,
        **fields,  # type: ignore[arg-type]
    )
    (offer,) = to_offers(model_pb2.Model(model="gpt-1", offers=[message]))
    return offer


@pytest.mark.parametrize(("is_kept", "is_served"), [(False, False), (True, True)])
def test_an_offer_ends_on_its_day_unless_a_person_keeps_it(
    *, is_kept: bool, is_served: bool
) -> None:
    ended = the_offer(deprecation_date=Date(year=2026, month=11, day=1), kept_by_hand=is_kept)

    assert ended.is_served_on(TODAY) is is_served


def test_guessed_capabilities_count_for_nothing() -> None:
    offer = the_offer(
        capabilities=[traits.CAPABILITY_TOOLS],
        inferred_capabilities=[traits.CAPABILITY_VISION],
    )

    assert offer.capabilities == capability.mask([traits.CAPABILITY_TOOLS])


def test_quality_is_that_of_the_task_where_there_is_one() -> None:
    quality = quality_pb2.Quality(
        score=80,
        uncertainty=2,
        basis=quality_pb2.QUALITY_BASIS_MEASURED,
        tasks=[quality_pb2.TaskQuality(task=quality_pb2.TASK_CODING, score=90, uncertainty=3)],
    )
    (offer,) = to_offers(
        model_pb2.Model(model="gpt-1", quality=quality, offers=[model_pb2.Offer(offer="openai/x")])
    )

    assert offer.quality.for_task("code") == (90, 3)
    assert offer.quality.for_task("chat") == (80, 2)
