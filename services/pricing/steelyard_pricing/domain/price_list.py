"""Prices page by page, in an order that a page token survives a new snapshot in."""

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest

from steelyard_pricing.domain.comparison import base_prices
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.modes import Mode
from steelyard_pricing.domain.snapshot import Listing

SortKey = tuple[int, str]
"""A price that sorts as wished, then the offer: unique in every snapshot."""

# Behind every price, also behind the dearest one turned round.
_LAST = 2**63
_MAX_TOKEN = 2048
_KEY_LENGTH = 3


class Order(StrEnum):
    """What prices are ordered by."""

    OFFER = "offer"
    INPUT_PRICE = "input_price"
    OUTPUT_PRICE = "output_price"


class InvalidOrderError(ValueError):
    """The order is not one that we know."""


class InvalidTokenError(ValueError):
    """The page token is not one of ours, or belongs to another query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuery:
    """Which prices are wanted, and in which order."""

    provider: str = ""
    mode: Mode = Mode.UNSPECIFIED
    words: tuple[str, ...] = ()
    order: Order = Order.OFFER
    is_descending: bool = False
    include_unpriced: bool = False

    def accepts(self, listing: Listing) -> bool:
        """Say whether an offer is wanted."""
        fact = listing.fact
        if not (self.include_unpriced or fact.is_priced):
            return False
        if self.provider and fact.name.provider != self.provider:
            return False
        if self.mode and fact.mode is not self.mode:
            return False
        offer = listing.offer.lower()
        return all(word in offer for word in self.words)

    @property
    def identity(self) -> str:
        """A text that is equal for equal queries."""
        return json.dumps(
            [
                self.provider,
                int(self.mode),
                self.words,
                self.order,
                self.is_descending,
                self.include_unpriced,
            ]
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the offers, and how to get the next ones."""

    listings: tuple[Listing, ...]
    next_token: str
    """Empty on the last page."""
    total_count: int


def parse_order(text: str) -> tuple[Order, bool]:
    """Read `input_price desc`; the second value says whether it descends.

    Raises:
        InvalidOrderError: It is not an order.
    """
    words = text.split()
    is_descending = words[1:] == ["desc"]
    if not words:
        return Order.OFFER, False
    if words[1:] not in ([], ["asc"], ["desc"]) or words[0] not in list(Order):
        raise InvalidOrderError(f"must be one of {', '.join(Order)}, optionally with desc")
    return Order(words[0]), is_descending


def page_of(
    listings: Iterable[Listing], query: PriceQuery, *, page_size: int, page_token: str
) -> Page:
    """Return one page.

    Raises:
        InvalidTokenError: The token is not of this query.
    """
    keyed = [(_sort_key(listing, query), listing) for listing in listings if query.accepts(listing)]
    total_count = len(keyed)
    if page_token:
        after = _read_token(page_token, query)
        keyed = [pair for pair in keyed if _is_after(pair[0], after, query)]
    rest = _first(keyed, page_size + 1, query)
    page = rest[:page_size]
    has_more = len(rest) > page_size
    return Page(
        tuple(listing for _, listing in page),
        _write_token(page[-1][0], query) if has_more else "",
        total_count,
    )


def _first(
    keyed: Sequence[tuple[SortKey, Listing]], count: int, query: PriceQuery
) -> list[tuple[SortKey, Listing]]:
    if query.order is Order.OFFER and query.is_descending:
        return sorted(keyed, key=lambda pair: pair[0], reverse=True)[:count]
    return nsmallest(count, keyed, key=lambda pair: pair[0])


def _is_after(key: SortKey, other: SortKey, query: PriceQuery) -> bool:
    if query.order is Order.OFFER and query.is_descending:
        return key < other
    return key > other


def _sort_key(listing: Listing, query: PriceQuery) -> SortKey:
    if query.order is Order.OFFER:
        return (0, listing.offer)
    component = (
        Component.INPUT_TOKEN if query.order is Order.INPUT_PRICE else Component.OUTPUT_TOKEN
    )
    price = base_prices(listing.fact).get(component)
    if price is None:
        return (_LAST, listing.offer)
    return (-price if query.is_descending else price, listing.offer)


def _write_token(key: SortKey, query: PriceQuery) -> str:
    written = json.dumps([query.identity, *key])
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def _read_token(token: str, query: PriceQuery) -> SortKey:
    if len(token) > _MAX_TOKEN:
        raise InvalidTokenError("is too long")
    try:
        padded = token + "=" * (-len(token) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidTokenError("is not a page token") from error
    if not isinstance(content, list) or len(content) != _KEY_LENGTH:
        raise InvalidTokenError("is not a page token")
    identity, price, offer = content
    if identity != query.identity:
        raise InvalidTokenError("is of another query")
    if not isinstance(price, int) or not isinstance(offer, str):
        raise InvalidTokenError("is not a page token")
    return (price, offer)
