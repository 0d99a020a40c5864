"""Pages of prices."""

import pytest

from steelyard_pricing.domain.modes import Mode
from steelyard_pricing.domain.price_list import (
    InvalidOrderError,
    InvalidTokenError,
    Order,
    PriceQuery,
    page_of,
    parse_order,
)
from steelyard_pricing.domain.snapshot import Snapshot
from tests.pricing.builders import a_fact, a_snapshot, tokens

PRICES = {"acme/a": "3", "acme/b": "1", "acme/c": "2", "bolt/d": "1"}


def snapshot_of(prices: dict[str, str]) -> Snapshot:
    facts = [a_fact(offer, tokens(price, price)) for offer, price in prices.items()]
    return a_snapshot(*facts, a_fact("acme/unpriced"), a_fact("acme/image", mode=Mode.IMAGE))


def walk(snapshot: Snapshot, query: PriceQuery, *, page_size: int = 2) -> list[list[str]]:
    pages, token = [], ""
    while True:
        page = page_of(snapshot.listings.values(), query, page_size=page_size, page_token=token)
        pages.append([listing.offer for listing in page.listings])
        token = page.next_token
        if not token:
            return pages


@pytest.mark.parametrize(
    ("query", "pages"),
    [
        (PriceQuery(), [["acme/a", "acme/b"], ["acme/c", "bolt/d"]]),
        (PriceQuery(is_descending=True), [["bolt/d", "acme/c"], ["acme/b", "acme/a"]]),
        (PriceQuery(order=Order.INPUT_PRICE), [["acme/b", "bolt/d"], ["acme/c", "acme/a"]]),
        (
            PriceQuery(order=Order.OUTPUT_PRICE, is_descending=True),
            [["acme/a", "acme/c"], ["acme/b", "bolt/d"]],
        ),
        (PriceQuery(provider="bolt"), [["bolt/d"]]),
        (PriceQuery(words=("acme", "c")), [["acme/a", "acme/b"], ["acme/c"]]),
        (PriceQuery(provider="nobody"), [[]]),
        (
            PriceQuery(order=Order.INPUT_PRICE, is_descending=True, include_unpriced=True),
            [["acme/a", "acme/c"], ["acme/b", "bolt/d"], ["acme/image", "acme/unpriced"]],
        ),
        (PriceQuery(mode=Mode.IMAGE, include_unpriced=True), [["acme/image"]]),
    ],
)
def test_pages_are_ordered_and_unpriced_offers_come_last(
    query: PriceQuery, pages: list[list[str]]
) -> None:
    assert walk(snapshot_of(PRICES), query) == pages


def test_the_total_counts_all_pages() -> None:
    page = page_of(snapshot_of(PRICES).listings.values(), PriceQuery(), page_size=1, page_token="")

    assert page.total_count == 4


def test_a_token_stays_valid_when_prices_change_in_between() -> None:
    query = PriceQuery(order=Order.INPUT_PRICE)
    first = page_of(snapshot_of(PRICES).listings.values(), query, page_size=2, page_token="")

    changed = snapshot_of({"acme/c": "2", "acme/new": "4", "acme/b": "9"})
    second = page_of(changed.listings.values(), query, page_size=9, page_token=first.next_token)

    assert [listing.offer for listing in second.listings] == ["acme/c", "acme/new", "acme/b"]


@pytest.mark.parametrize("token", ["x", "AAAA", "!!!", "W10", "é", "a" * 3000, "bnVsbA"])
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        page_of([], PriceQuery(), page_size=2, page_token=token)


def test_a_token_of_another_query_is_refused() -> None:
    listings = snapshot_of(PRICES).listings.values()
    token = page_of(listings, PriceQuery(), page_size=1, page_token="").next_token

    with pytest.raises(InvalidTokenError):
        page_of(listings, PriceQuery(provider="acme"), page_size=1, page_token=token)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", (Order.OFFER, False)),
        ("offer desc", (Order.OFFER, True)),
        ("input_price", (Order.INPUT_PRICE, False)),
        (" output_price  desc ", (Order.OUTPUT_PRICE, True)),
    ],
)
def test_an_order_is_a_field_and_perhaps_desc(text: str, order: tuple[Order, bool]) -> None:
    assert parse_order(text) == order


@pytest.mark.parametrize("text", ["price", "offer down", "offer desc desc", "; drop", "desc"])
def test_an_unknown_order_is_refused(text: str) -> None:
    with pytest.raises(InvalidOrderError):
        parse_order(text)
