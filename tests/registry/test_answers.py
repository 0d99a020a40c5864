"""What of models, sellers and scores is told."""

from dataclasses import replace
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2
from steelyard_registry.domain.models import DeprecationReason, Offer
from steelyard_registry.domain.modes import Capability
from steelyard_registry.domain.quality.blending import blend
from steelyard_registry.messages.answers import to_offer, to_provider, to_quality, to_score
from tests.registry.builders import OPENAI, TODAY, catalogue_of, chat, curated

TIME = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
STAMP = Timestamp(seconds=int(TIME.timestamp()))


def an_offer() -> Offer:
    return catalogue_of({"gpt-4o": chat("openai")}).edition.models["gpt-4o"].offers[0]


def test_an_offer_tells_what_is_guessed_and_how_it_came_and_went() -> None:
    offer = replace(
        an_offer(),
        inferred=frozenset({Capability.VISION}),
        sources=("openrouter", "litellm"),
        first_seen_time=TIME,
        deprecation_reason=DeprecationReason.MISSING,
        missed_syncs=2,
    )

    told = to_offer(offer)

    assert list(told.inferred_capabilities) == [traits.CAPABILITY_VISION]
    assert list(told.capabilities) == []
    assert list(told.sources) == ["openrouter", "litellm"]
    assert told.first_seen_time == STAMP
    assert told.deprecation_reason == model_pb2.DEPRECATION_REASON_MISSING
    assert told.missed_sync_count == 2


def test_an_offer_of_the_shipped_catalogue_is_in_force_and_without_a_first_day() -> None:
    told = to_offer(replace(an_offer(), sources=()))

    assert list(told.sources) == [told.source]
    assert not told.HasField("first_seen_time")
    assert told.deprecation_reason == model_pb2.DEPRECATION_REASON_UNSPECIFIED
    assert told.missed_sync_count == 0


def test_a_seller_tells_what_its_keys_look_like_and_who_named_it() -> None:
    told = to_provider(replace(OPENAI, key_pattern="sk-[A-Za-z0-9]+", is_custom=True))

    assert (told.key_pattern, told.custom) == ("sk-[A-Za-z0-9]+", True)
    assert not to_provider(OPENAI).custom


def test_a_score_tells_where_it_comes_from_and_what_it_weighs() -> None:
    score = replace(
        curated("gpt-4o", 86.5),
        raw_value="1410",
        metric="elo",
        sample_count=5000,
        source_model="gpt-4o-2024-08-06",
        expire_time=TIME,
        share=0.25,
        variant="high",
        category="hard_6",
        is_correction=True,
    )

    told = to_score(score, TODAY)

    assert (told.raw_value, told.metric, told.sample_count) == ("1410", "elo", 5000)
    assert (told.source_model, told.variant) == ("gpt-4o-2024-08-06", "high")
    assert (told.category, told.share, told.correction) == ("hard_6", 0.25, True)
    assert told.expire_time == STAMP
    assert not to_score(curated("gpt-4o", 86.5), TODAY).HasField("expire_time")


def test_a_blend_names_its_sources_and_whether_a_person_set_it() -> None:
    quality = blend([curated("gpt-4o", 86.5)], TODAY)
    assert quality is not None

    told = to_quality(replace(quality, sources=("arena", "curated"), is_correction=True))

    assert (list(told.sources), told.correction) == (["arena", "curated"], True)
