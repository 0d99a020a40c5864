"""One snapshot: names, precedence, disputes."""

import pytest

from steelyard_pricing.domain.changes import ChangeCounts, count_changes, price_changes
from steelyard_pricing.domain.components import CostPart
from steelyard_pricing.domain.quote import UsageLines, cost_parts
from steelyard_pricing.domain.snapshot import Listing, NameMatch
from tests.pricing.builders import a_fact, a_snapshot, counts, source_facts, tokens, usd


def cost(listing: Listing) -> int | None:
    assert listing.card is not None
    usage = UsageLines.of(counts(uncached_input_token=1_000_000))
    parts = cost_parts(usage, listing.card.tiers[""].bands[0])
    return None if parts is None else parts[CostPart.TOTAL]


@pytest.mark.parametrize(
    ("name", "offer", "match"),
    [
        ("openai/gpt-4o", "openai/gpt-4o", NameMatch.EXACT),
        ("gpt-4o", "openai/gpt-4o", NameMatch.EXACT),
        ("GPT-4o", "openai/gpt-4o", NameMatch.CASE_INSENSITIVE),
        ("OpenAI/GPT-4o", "openai/gpt-4o", NameMatch.CASE_INSENSITIVE),
        ("openai/gpt-4o-2024-08-06", "openai/gpt-4o", NameMatch.ALIAS),
        ("openrouter/~openai/gpt-latest", "openrouter/openai/gpt-4o", NameMatch.ALIAS),
    ],
)
def test_a_name_leads_to_the_makers_own_offer_and_says_how(
    name: str, offer: str, match: NameMatch
) -> None:
    snapshot = a_snapshot(
        a_fact("azure/gpt-4o", tokens()),
        a_fact("openai/gpt-4o", tokens()),
        a_fact(
            "openrouter/openai/gpt-4o",
            tokens(),
            model="gpt-4o",
            aliases=("openrouter/~openai/gpt-latest",),
        ),
    )

    found = snapshot.resolve(name)

    assert found is not None
    assert (found.listing.offer, found.match) == (offer, match)


def test_no_part_of_a_name_is_ever_enough() -> None:
    snapshot = a_snapshot(a_fact("openai/gpt-4o", tokens()), a_fact("openai/gpt-4o-mini", tokens()))

    assert snapshot.resolve("gpt-4-mini") is None
    assert snapshot.nearest("gpt-4-mini")[0] == "gpt-4o-mini"


def test_p13_litellm_is_believed_before_openrouter_but_for_what_openrouter_sells() -> None:
    openrouter = source_facts(
        a_fact("openrouter/acme/model", tokens("1.1"), source="openrouter"),
        source="openrouter",
    )
    snapshot = a_snapshot(
        a_fact("openrouter/acme/model", tokens("1.0")),
        a_fact("acme/model", tokens("1.0")),
        others=[openrouter],
    )

    listing = snapshot.listings["openrouter/acme/model"]

    assert listing.fact.source == "openrouter"
    assert [other.fact.source for other in listing.others] == ["litellm"]
    assert cost(listing) == usd("1.1")
    assert not listing.is_disputed


@pytest.mark.parametrize(
    ("other", "is_disputed", "charged"),
    [("2.0", False, "1"), ("2.01", True, "2.01"), ("0.5", False, "1"), ("0.49", True, "1")],
)
def test_of_prices_that_differ_by_more_than_two_the_higher_is_taken(
    other: str, *, is_disputed: bool, charged: str
) -> None:
    snapshot = a_snapshot(
        a_fact("openrouter/acme/model", tokens(other)),
        others=[
            source_facts(
                a_fact("openrouter/acme/model", tokens("1"), source="openrouter"),
                source="openrouter",
            )
        ],
    )

    listing = snapshot.listings["openrouter/acme/model"]

    assert listing.is_disputed is is_disputed
    assert cost(listing) == usd(charged)


def test_p9_openrouter_is_a_seller_of_its_own_and_counts_once() -> None:
    snapshot = a_snapshot(
        a_fact("openai/gpt-4o", tokens()),
        a_fact("openrouter/openai/gpt-4o", tokens(), model="gpt-4o"),
    )

    assert snapshot.provider_count == 2
    assert {listing.offer for listing in snapshot.sellers_of["gpt-4o"]} == {
        "openai/gpt-4o",
        "openrouter/openai/gpt-4o",
    }


def test_changes_are_counted_by_offer() -> None:
    before = a_snapshot(
        a_fact("acme/same", tokens("1")),
        a_fact("acme/dearer", tokens("1")),
        a_fact("acme/gone", tokens("1")),
    )
    after = a_snapshot(
        a_fact("acme/same", tokens("1")),
        a_fact("acme/dearer", tokens("2")),
        a_fact("acme/new", tokens("1")),
    )

    assert count_changes(price_changes(before, after), after) == ChangeCounts(
        added=1, changed=1, removed=1, unchanged=1
    )


def test_a_source_with_a_price_goes_before_one_without() -> None:
    snapshot = a_snapshot(
        a_fact("acme/model"),
        others=[source_facts(a_fact("acme/model", tokens("3"), source="models_dev"))],
    )

    assert snapshot.listings["acme/model"].fact.source == "models_dev"
    assert snapshot.priced_count == 1


def test_p5_a_seller_that_has_no_price_is_believed_before_a_copy_that_has_one() -> None:
    own = a_fact("openrouter/auto", source="openrouter")
    snapshot = a_snapshot(
        a_fact("openrouter/auto", tokens("3")), others=[source_facts(own, source="openrouter")]
    )

    assert snapshot.priced_count == 0
