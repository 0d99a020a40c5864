"""Which offers are asked about, and what is said of the others."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard_router.domain.catalog import UNKNOWN_CONTEXT_TOKENS, Catalog, Offer, Quality
from steelyard_router.domain.health import Condition, OfferHealth
from steelyard_router.domain.pool import pool_of
from steelyard_router.domain.ranking import Criteria, Market, Ranking, rank, size_bucket, value
from steelyard_router.domain.rates import RateCard
from steelyard_router.domain.rejection import RejectionReason
from steelyard_router.domain.shortlist import (
    MAX_ASKED,
    Limits,
    Shortlist,
    quality_floors,
    shortlist,
)
from steelyard_router.domain.sizes import SizeIndex
from steelyard_router.domain.tier import Tier, floors_from
from steelyard_router.domain.usage import Usage
from steelyard_router.rankings import MAX_RANKINGS, Rankings
from tests.fakes import START
from tests.router.builders import a_card, a_catalog, an_offer, criteria

TODAY = START.date()
VISION = 1 << traits.CAPABILITY_VISION


def ranking(
    *offers: Offer,
    catalog: Catalog | None = None,
    cards: dict[str, RateCard] | None = None,
    health: dict[str, OfferHealth] | None = None,
    local_providers: frozenset[str] = frozenset(),
    **wanted: Any,
) -> Ranking:
    """Rank offers that all have the same price unless told otherwise."""
    catalog = catalog or a_catalog(*offers)
    known = {offer.offer: a_card() for offer in offers} if cards is None else cards
    pool = pool_of(catalog, offers, TODAY, local_providers)
    asked, market = criteria(**wanted), Market(known, health or {})
    return rank(pool, asked, market, value(pool.offers, asked.scales, market, START))


def names(found: Ranking) -> list[str]:
    return [each.offer.offer for each in found.ranked]


def fate(found: Ranking) -> RejectionReason:
    """Return why the only offer was rejected."""
    assert not found.ranked
    (rejection,) = found.rejected
    assert found.counts == {rejection.reason: 1}
    assert rejection.detail.endswith(".")
    return rejection.reason


def test_q2_an_offer_that_does_not_chat_is_never_ranked() -> None:
    embedding = an_offer("openai/text-embedding-3-small", is_chat=False, quality=100)

    assert fate(ranking(embedding)) is RejectionReason.WRONG_MODE


def test_a_deprecated_offer_is_never_ranked() -> None:
    assert fate(ranking(an_offer(is_deprecated=True))) is RejectionReason.DEPRECATED


@pytest.mark.parametrize(("days", "is_ranked"), [(0, False), (1, True), (-1, False)])
def test_an_offer_is_deprecated_from_its_day_on(days: int, is_ranked: bool) -> None:  # noqa: FBT001
    offer = an_offer(deprecation_date=TODAY + timedelta(days=days))

    assert bool(ranking(offer).ranked) is is_ranked


def test_q3_an_offer_belongs_to_its_seller_not_to_the_maker_in_its_name() -> None:
    offer = an_offer("deepinfra/openai/gpt-oss-20b")
    catalog = a_catalog(offer, an_offer("openai/gpt-4o"), unroutable=["deepinfra"])

    found = ranking(offer, catalog=catalog, keys=frozenset({"openai"}))

    assert fate(found) is RejectionReason.PROVIDER_NOT_ROUTABLE


def test_local_models_compete_where_the_installation_has_them() -> None:
    offer = an_offer("ollama/llama3")

    assert fate(ranking(offer)) is RejectionReason.PROVIDER_NOT_ROUTABLE
    assert names(ranking(offer, local_providers=frozenset({"ollama"}))) == ["ollama/llama3"]


def test_without_any_key_all_providers_compete() -> None:
    assert len(ranking(an_offer("openai/x"), an_offer("groq/x")).ranked) == 2


def test_with_a_key_only_providers_with_keys_compete() -> None:
    found = ranking(an_offer("openai/x"), an_offer("groq/x"), keys=frozenset({"groq"}))

    assert names(found) == ["groq/x"]
    assert found.counts == {RejectionReason.NO_KEY: 1}


def test_a_key_for_a_provider_that_is_not_there_keeps_nobody_out() -> None:
    assert ranking(an_offer("openai/x"), keys=frozenset({"acme"})).ranked


@pytest.mark.parametrize(
    "wanted",
    [
        {"allowed_providers": frozenset({"groq"})},
        {"denied_providers": frozenset({"openai"})},
        {"allowed_providers": frozenset({"openai"}), "denied_providers": frozenset({"openai"})},
    ],
)
def test_the_policy_decides_about_providers(wanted: dict[str, Any]) -> None:
    assert fate(ranking(an_offer(), **wanted)) is RejectionReason.PROVIDER_NOT_ALLOWED


def test_q4_a_capability_counts_only_where_it_is_flagged() -> None:
    blind = an_offer("anthropic/claude-vision-9", capabilities=())
    sighted = an_offer("google/gemini-2.5-pro", capabilities=[traits.CAPABILITY_VISION])

    found = ranking(blind, sighted, needed_capabilities=VISION)

    assert names(found) == ["google/gemini-2.5-pro"]
    assert [(each.reason, each.detail) for each in found.rejected] == [
        (RejectionReason.MISSING_CAPABILITY, "Lacks vision.")
    ]


def test_quality_below_the_floor_is_rejected() -> None:
    assert fate(ranking(an_offer(quality=85.9), quality_floor=86.0)) is (
        RejectionReason.QUALITY_TOO_LOW
    )
    assert ranking(an_offer(quality=86.0), quality_floor=86.0).ranked


def test_the_quality_for_the_task_counts() -> None:
    quality = Quality(70, 2, "curated", {"coding": (90, 4)})
    coder = replace(an_offer(), quality=quality)

    assert not ranking(coder, quality_floor=80.0).ranked
    assert not ranking(coder, quality_floor=80.0, task_type="chat").ranked
    (ranked,) = ranking(coder, quality_floor=80.0, task_type="code").ranked
    assert (ranked.quality, ranked.trusted_quality) == (90, 88)


def test_an_offer_without_a_price_is_rejected_unless_allowed_and_then_last() -> None:
    unpriced, priced = an_offer("openai/new", quality=100), an_offer("openai/old", quality=50)
    cards = {"openai/old": a_card()}

    assert names(ranking(unpriced, priced, cards=cards)) == ["openai/old"]
    assert names(ranking(unpriced, priced, cards=cards, allow_unpriced=True)) == [
        "openai/old",
        "openai/new",
    ]


def test_what_costs_nothing_at_a_remote_seller_competes_only_where_it_is_allowed() -> None:
    offers = an_offer("openrouter/m:free"), an_offer("openrouter/m"), an_offer("ollama/m")
    cards = {"openrouter/m:free": a_card(0, 0), "openrouter/m": a_card(), "ollama/m": a_card(0, 0)}
    local = frozenset({"ollama"})

    closed = ranking(*offers, cards=cards, local_providers=local)
    opened = ranking(*offers, cards=cards, local_providers=local, allow_free=True)

    assert names(closed) == ["ollama/m", "openrouter/m"]
    assert closed.counts == {RejectionReason.FREE_VARIANT: 1}
    assert sorted(names(opened)) == ["ollama/m", "openrouter/m", "openrouter/m:free"]


def test_only_the_region_that_is_asked_for_will_do() -> None:
    here, there = an_offer("a/x", regions=frozenset({"eu"})), an_offer("b/x")

    found = ranking(here, there, region="eu")

    assert names(found) == ["a/x"]
    assert found.counts == {RejectionReason.WRONG_REGION: 1}


def test_offers_whose_circuit_is_open_come_last() -> None:
    health = {"a/x": OfferHealth(condition=Condition.CIRCUIT_OPEN)}

    assert names(ranking(an_offer("a/x", quality=99), an_offer("b/x"), health=health)) == [
        "b/x",
        "a/x",
    ]


def test_q1_cheap_offers_are_told_apart_however_dear_the_others_are() -> None:
    cards = {
        "openai/gpt-4o-mini": a_card(150_000, 600_000),
        "openai/o3-mini": a_card(1_100_000, 4_400_000),
        "openai/o1-pro": a_card(150_000_000, 600_000_000),
    }
    found = ranking(*(an_offer(name, quality=85) for name in cards), cards=cards)

    assert names(found)[0] == "openai/gpt-4o-mini"


def test_q8_the_mix_of_tokens_decides_not_the_average_rate() -> None:
    reads_cheaply, writes_cheaply = a_card(1_000_000, 9_000_000), a_card(4_000_000, 2_000_000)
    cards = {"a/reader": reads_cheaply, "b/writer": writes_cheaply}
    offers = [an_offer(name) for name in cards]

    long_prompt = ranking(*offers, cards=cards, prompt_tokens=16_384, output_tokens=16)
    long_answer = ranking(*offers, cards=cards, prompt_tokens=16, output_tokens=4096)

    assert names(long_prompt)[0] == "a/reader"
    assert names(long_answer)[0] == "b/writer"


def asked_from(*offers: Offer, limits: Limits | None = None, most: int | None = 50) -> Shortlist:
    cards = {offer.offer: a_card() for offer in offers}
    found = ranking(*offers, cards=cards)
    limits = limits or Limits(Usage(100, 500))
    return shortlist((0.0,), lambda _: found, limits, Market(cards, {}), most)


@pytest.mark.parametrize(
    ("usage", "context", "fits"),
    [
        (Usage(9_500, 500), 10_000, True),
        (Usage(9_501, 500), 10_000, False),
        (Usage(9_000, 500, image_tokens=501), 10_000, False),
        (Usage(UNKNOWN_CONTEXT_TOKENS - 500, 500), 0, True),
        (Usage(UNKNOWN_CONTEXT_TOKENS, 500), 0, False),
    ],
)
def test_prompt_and_completion_have_to_fit(usage: Usage, context: int, fits: bool) -> None:  # noqa: FBT001
    found = asked_from(an_offer(context_tokens=context), limits=Limits(usage))

    assert bool(found.asked) is fits
    if not fits:
        assert found.counts == {RejectionReason.CONTEXT_TOO_SMALL: 1}


def test_room_for_the_completion_that_was_asked_for_has_to_be_there() -> None:
    offer = an_offer(max_output_tokens=4_096)

    assert asked_from(offer, limits=Limits(Usage(10, 500), 4_096)).asked
    assert not asked_from(offer, limits=Limits(Usage(10, 500), 4_097)).asked


def test_offers_that_are_surely_too_dear_or_too_slow_leave_room_for_others() -> None:
    offer = an_offer()
    cards = {offer.offer: a_card()}
    health = {offer.offer: OfferHealth(latency_seconds=3.0)}
    found = ranking(offer, cards=cards, health=health)

    def reasons(**limits: Any) -> dict[RejectionReason, int]:
        wanted = Limits(Usage(100, 500), **limits)
        return dict(shortlist((0.0,), lambda _: found, wanted, Market(cards, health), 50).counts)

    cost = 100 * 400_000 + 500 * 1_600_000
    assert reasons(max_cost_picodollars=cost) == {}
    assert reasons(max_cost_picodollars=cost - 1) == {RejectionReason.TOO_EXPENSIVE: 1}
    assert reasons(max_latency_seconds=3.0) == {}
    assert reasons(max_latency_seconds=2.9) == {RejectionReason.TOO_SLOW: 1}


def many(count: int) -> list[Offer]:
    return [an_offer(f"p/m{number:03}", quality=99 - number / 10) for number in range(count)]


def test_the_best_16_are_asked_about_and_the_next_ones_named() -> None:
    offers = many(200)

    found = asked_from(*offers)

    assert [each.offer for each in found.asked] == offers[:MAX_ASKED]
    assert found.counts == {RejectionReason.NOT_SHORTLISTED: 200 - MAX_ASKED}
    assert [each.offer for each in found.rejected] == [
        offer.offer for offer in offers[MAX_ASKED : MAX_ASKED + 50]
    ]


def test_all_rejected_offers_are_named_on_demand() -> None:
    assert len(asked_from(*many(200), most=None).rejected) == 200 - MAX_ASKED


def test_offers_that_are_too_small_give_their_places_to_the_next_ones() -> None:
    offers = many(60)
    small = {offers[3].offer, offers[50].offer}
    sized = [replace(each, context_tokens=400) if each.offer in small else each for each in offers]

    found = asked_from(*sized, limits=Limits(Usage(300, 200)), most=3)

    fitting = [each.offer for each in sized if each.offer not in small]
    assert [each.offer.offer for each in found.asked] == fitting[:MAX_ASKED]
    assert [each.offer for each in found.rejected] == [*sorted(small), fitting[MAX_ASKED]]
    assert found.counts == {
        RejectionReason.CONTEXT_TOO_SMALL: 2,
        RejectionReason.NOT_SHORTLISTED: 58 - MAX_ASKED,
    }


SIZES = st.integers(0, 6)


@given(st.lists(st.tuples(SIZES, SIZES)), SIZES, SIZES)
def test_an_index_finds_exactly_those_that_are_too_small(
    sizes: list[tuple[int, int]], window: int, room: int
) -> None:
    expected = {n for n, (wide, free) in enumerate(sizes) if wide < window or free < room}

    assert SizeIndex.of(sizes).too_small(window, room) == expected


def test_the_floor_gives_way_step_by_step_to_the_first_one_that_is_reached() -> None:
    offers = [an_offer("a/x", quality=82), an_offer("b/x", quality=87)]
    tried: list[float] = []

    def ranking_for(floor: float) -> Ranking:
        tried.append(floor)
        return ranking(*offers, quality_floor=floor)

    floors = quality_floors(floors_from(Tier.COMPLEX), None)
    found = shortlist(floors, ranking_for, Limits(Usage(10, 10)), Market({}, {}), 50)

    assert tried == [94, 90, 86]
    assert [each.offer.offer for each in found.asked] == ["b/x"]
    assert found.is_floor_relaxed


def test_the_floor_of_the_policy_never_gives_way() -> None:
    assert quality_floors(floors_from(Tier.HEAVY), 88.0) == (90.0, 88.0)
    assert quality_floors(floors_from(Tier.MICRO), None) == (0.0,)
    assert quality_floors(floors_from(Tier.STANDARD), 97.0) == (97.0,)


@pytest.mark.parametrize(("tokens", "bucket"), [(0, 0), (1, 1), (2, 2), (3, 2), (1023, 512)])
def test_sizes_share_buckets_of_powers_of_two(tokens: int, bucket: int) -> None:
    assert size_bucket(tokens) == bucket


def test_a_ranking_is_used_again_until_its_data_change() -> None:
    catalog, market, wanted = a_catalog(an_offer()), Market({}, {}), criteria()
    rankings = Rankings(frozenset())
    first = rankings.of_all(catalog, wanted, market, START)

    assert rankings.of_all(catalog, wanted, market, START) is first
    assert rankings.of_all(catalog, criteria(region="eu"), market, START) is not first
    assert rankings.of_all(catalog, wanted, Market({}, {}), START) is not first
    assert rankings.of_all(catalog, wanted, market, START + timedelta(days=1)) is not first


def test_an_offer_that_is_deprecated_overnight_is_gone_in_the_morning() -> None:
    offer = an_offer(deprecation_date=date(2026, 11, 3))
    catalog, market = a_catalog(offer), Market(None, {})
    rankings = Rankings(frozenset())

    assert rankings.of_all(catalog, criteria(), market, START).ranked
    assert not rankings.of_all(catalog, criteria(), market, START + timedelta(days=1)).ranked


def test_rankings_are_bounded() -> None:
    catalog, market = a_catalog(an_offer()), Market(None, {})
    rankings = Rankings(frozenset())
    wanted: list[Criteria] = [criteria(region=str(n)) for n in range(MAX_RANKINGS + 1)]
    kept = [rankings.of_all(catalog, each, market, START) for each in wanted]

    assert rankings.of_all(catalog, wanted[-1], market, START) is kept[-1]
    assert rankings.of_all(catalog, wanted[0], market, START) is not kept[0]
