"""Offers that nobody knows the model of."""

from dataclasses import replace
from pathlib import Path

import pytest

from steelyard_registry.domain.assembly import assemble
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.grading import UnjoinedName
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.modes import Mode
from steelyard_registry.domain.quality.joining import UnjoinedReason
from steelyard_registry.domain.unjoined_offers import unjoined_offers
from tests.registry.named_models import models_named, models_of

UNKNOWN = int(UnjoinedReason.UNKNOWN_NAME)


def with_mode(mode: Mode, *models: str) -> tuple[Model, ...]:
    offers = (offer for model in models_named(*models) for offer in model.offers)
    known = [replace(offer, mode=mode) for offer in offers]
    return assemble(Facts(offers=tuple(known)), known[0].observed_time.date())


def test_an_offer_of_an_unknown_maker_is_named_with_its_source() -> None:
    models = models_named("gpt-4o", "nano-gpt/brave-pro", "claude-sonnet-4-5")

    assert unjoined_offers(models) == (
        UnjoinedName("test", "nano-gpt/brave-pro", UNKNOWN, "nano-gpt/brave-pro"),
    )


def test_they_are_in_order_of_source_and_offer() -> None:
    names = unjoined_offers(models_named("z/auto", "a/router", "m/auto"))

    assert [name.source_model for name in names] == ["a/router", "m/auto", "z/auto"]


@pytest.mark.parametrize("mode", [Mode.COMPLETION, Mode.EMBEDDING, Mode.RERANK, Mode.MODERATION])
def test_every_kind_of_work_that_is_joined_counts(mode: Mode) -> None:
    assert len(unjoined_offers(with_mode(mode, "scaledown/classify"))) == 1


@pytest.mark.parametrize("mode", [Mode.IMAGE, Mode.SPEECH, Mode.SEARCH])
def test_names_of_images_and_voices_are_alone_by_right(mode: Mode) -> None:
    assert unjoined_offers(with_mode(mode, "tavily/search")) == ()


def test_a_known_name_of_another_kind_of_work_is_known() -> None:
    (model,) = models_named("grok-4")
    (offer,) = model.offers
    image = replace(offer, offer="kilo/x-ai/Grok-4", provider="kilo", mode=Mode.IMAGE)
    text = replace(image, offer="poe/xai/Grok-4", provider="poe", mode=Mode.COMPLETION)

    models = assemble(Facts(offers=(offer, image, text)), offer.observed_time.date())

    assert len(models) == 3
    assert unjoined_offers(models) == ()


@pytest.mark.real_data
def test_few_real_offers_are_unknown(real_data: Path) -> None:
    models = models_of(real_data, "2026-10-21_v1.106.2", "models_2026-08-01")

    names = unjoined_offers(models)

    assert 0 < len(names) < 80
    known = {offer.offer for model in models for offer in model.offers}
    assert {name.source_model for name in names} <= known
    assert {name.reason for name in names} == {UNKNOWN}
