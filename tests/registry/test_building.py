"""What a catalogue is made of, and what is not made twice."""

from dataclasses import replace

from steelyard_registry.domain.building import Bundled, CatalogueBuilder
from steelyard_registry.domain.decisions import HandDecision
from steelyard_registry.domain.models import State
from steelyard_registry.domain.state import OfferRecord, RegistryState
from tests.registry.builders import OPENAI, SEED_TIME, TODAY, chat, curated, facts_of

SEED = facts_of({"gpt-1": chat("openai")})
LIVE = facts_of({"gpt-1": chat("openai"), "gpt-2": chat("openai")})


def builder_of(*enabled: str) -> CatalogueBuilder:
    bundled = Bundled(
        seed=SEED,
        seed_time=SEED_TIME,
        providers={"openai": OPENAI},
        curated={"gpt-1": [curated("gpt-1", 85)]},
    )
    return CatalogueBuilder(bundled, enabled)


def state_of(*names: str) -> RegistryState:
    records = {offer.offer: OfferRecord(offer=offer) for offer in LIVE.offers}
    return RegistryState(day=TODAY, records=dict.fromkeys(names, records))


def test_the_seed_stands_in_until_litellm_is_there_and_when_it_is_off() -> None:
    on, off = builder_of("litellm"), builder_of()

    assert set(on.build(state_of(), version=1).edition.models) == {"gpt-1"}
    assert set(on.build(state_of("litellm"), version=1).edition.models) == {"gpt-1", "gpt-2"}
    assert set(off.build(state_of("litellm"), version=1).edition.models) == {"gpt-1"}


def test_offers_that_did_not_change_are_the_same_objects_for_the_next_catalogue() -> None:
    builder, state = builder_of("litellm"), state_of("litellm")
    decision = HandDecision(name="gpt-2", state=State.DEPRECATED, actor="", note="", time=SEED_TIME)

    before = builder.build(state, version=1)
    decided = replace(state, decisions={"gpt-2": decision})
    after = builder.build(decided, version=2, previous=before.edition)

    assert builder.facts(state).offers is builder.facts(decided).offers
    assert after.edition.models["gpt-1"] is before.edition.models["gpt-1"]
    assert after.edition.models["gpt-2"].state is State.DEPRECATED


def test_a_builder_that_remembers_makes_what_a_new_one_makes() -> None:
    builder, first, second = builder_of("litellm"), state_of(), state_of("litellm")
    builder.build(first, version=1)
    corrected = replace(
        second,
        corrections={
            ("gpt-1", score.task): score
            for score in [replace(curated("gpt-1", 12), is_correction=True)]
        },
    )

    for state in (second, corrected, first, corrected):
        remembered = builder.build(state, version=2)
        fresh = builder_of("litellm").build(state, version=2)
        assert remembered.edition == fresh.edition
        assert [remembered.scores(model) for model in remembered.edition.models.values()] == [
            fresh.scores(model) for model in fresh.edition.models.values()
        ]
