"""Offers that may serve a kind of request, best rough value first.

Working this out takes milliseconds, and most requests are of a few kinds: results are kept and
used again as long as catalogue, prices and the health that was last heard of stay the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from steelyard_router.domain import capability
from steelyard_router.domain.catalog import Offer
from steelyard_router.domain.health import (
    UNKNOWN,
    Condition,
    OfferHealth,
    condition_at,
    expected_attempts,
    expected_seconds,
    presumed_well,
)
from steelyard_router.domain.policy import Weights
from steelyard_router.domain.pool import Outsiders, Pool
from steelyard_router.domain.rates import RateCard, card_cost
from steelyard_router.domain.rejection import Rejection, RejectionReason
from steelyard_router.domain.sizes import SizeIndex
from steelyard_router.domain.usage import Usage
from steelyard_router.domain.utility import trusted_quality, utility


class Scales(NamedTuple):
    """What the rough value of an offer depends on, besides the offer and the market."""

    weights: Weights
    prompt_tokens: int
    output_tokens: int
    task_type: str


class Criteria(NamedTuple):
    """What a kind of request asks for; equal criteria on equal data give equal rankings."""

    needed_capabilities: int
    quality_floor: float
    weights: Weights
    prompt_tokens: int
    """Rounded to a power of two, like the next one."""
    output_tokens: int
    keys: frozenset[str] = frozenset()
    """Providers that can be called with a key, or need none."""
    allowed_providers: frozenset[str] = frozenset()
    denied_providers: frozenset[str] = frozenset()
    region: str = ""
    task_type: str = ""
    allow_unpriced: bool = False
    allow_free: bool = False
    """Whether offers that cost nothing at a remote seller compete."""

    @property
    def scales(self) -> Scales:
        """Return what rough values rest on: the same for every floor that is tried."""
        return Scales(self.weights, self.prompt_tokens, self.output_tokens, self.task_type)


@dataclass(frozen=True, slots=True)
class Market:
    """Prices and health as last heard of."""

    cards: Mapping[str, RateCard] | None
    """By offer; None while pricing was never heard of."""
    health: Mapping[str, OfferHealth]
    """By offer; one that is absent is not known."""

    def health_of(self, offer: str) -> OfferHealth:
        return self.health.get(offer, UNKNOWN)


class Ranked(NamedTuple):
    """An offer with its rough value."""

    offer: Offer
    card: RateCard | None
    utility: float
    quality: float
    """Score for the task."""
    trusted_quality: float
    window: int
    """Tokens that prompt and completion may have."""
    room: int
    """Tokens that the completion may have."""

    @property
    def surplus(self) -> Rejection:
        """What to say when better ones fill the shortlist."""
        detail = f"Its rough value {self.utility:.2f} is not among the best."
        return Rejection(self.offer.offer, RejectionReason.NOT_SHORTLISTED, detail)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The result for one kind of request."""

    ranked: tuple[Ranked, ...]
    rejected: Iterable[Rejection]
    """Nearest to being chosen first; may be read again and again."""
    counts: Mapping[RejectionReason, int]
    sizes: SizeIndex
    """Of those that are ranked."""


@dataclass(frozen=True, slots=True)
class _InTurn:
    """The offers that fell out of a ranking, then those that never were in it."""

    fallen: tuple[Rejection, ...]
    outsiders: Outsiders

    def __iter__(self) -> Iterator[Rejection]:
        return chain(self.fallen, self.outsiders)


def size_bucket(tokens: int) -> int:
    """Return the power of two at or below a count: how precisely rankings look at sizes."""
    return 1 << (tokens.bit_length() - 1) if tokens > 0 else 0


def value(
    offers: Iterable[Offer], scales: Scales, market: Market, now: datetime
) -> tuple[Ranked, ...]:
    """Return offers with their rough values, best first.

    Offers whose circuit is open or that ask to wait come last, before them those without a price:
    they are asked about when there is nothing better.
    """
    # A middle of the sizes that share the bucket.
    usage = Usage(scales.prompt_tokens * 3 // 2, max(1, scales.output_tokens * 3 // 2))
    entries = [
        (last, -ranked.utility, ranked.offer.offer, ranked)
        for ranked, last in (_valued(offer, scales, market, usage, now) for offer in offers)
    ]
    return tuple(entry[3] for entry in sorted(entries, key=_order))


def rank(pool: Pool, criteria: Criteria, market: Market, valued: Iterable[Ranked]) -> Ranking:
    """Return the offers of a pool that meet the criteria, and why the others do not.

    Args:
        pool: The offers.
        criteria: To be met.
        market: Says which offers have a price.
        valued: The offers of the pool on the criteria's scales, best first.
    """
    keyed = criteria.keys & pool.providers
    chosen: list[Ranked] = []
    fallen: list[Rejection] = []
    for ranked in valued:
        rejection = _rejection(ranked, criteria, market, keyed) or _free_variant(
            ranked, criteria, pool.local_providers
        )
        if rejection is None:
            chosen.append(ranked)
        else:
            fallen.append(rejection)
    return Ranking(
        ranked=tuple(chosen),
        rejected=_InTurn(tuple(fallen), pool.outsiders),
        counts=Counter(each.reason for each in fallen) + Counter(pool.outsiders.counts),
        sizes=SizeIndex.of((each.window, each.room) for each in chosen),
    )


def _order(entry: tuple[int, float, str, Ranked]) -> tuple[int, float, str]:
    return entry[:3]


def _valued(
    offer: Offer, scales: Scales, market: Market, usage: Usage, now: datetime
) -> tuple[Ranked, int]:
    """Return an offer with its rough value, and 0 or how far behind the others it belongs."""
    card = market.cards.get(offer.offer) if market.cards is not None else None
    health = market.health_of(offer.offer)
    is_half_open = health.condition is Condition.HALF_OPEN
    if is_half_open:  # only an offer that is asked about gets a permit
        health = presumed_well(health)
    cost = card_cost(card, usage).total if card is not None else 0
    score, uncertainty = offer.quality.for_task(scales.task_type)
    trusted = trusted_quality(score, uncertainty)
    value = utility(
        scales.weights,
        quality=trusted,
        cost_picodollars=cost * expected_attempts(health.success_rate),
        latency_seconds=expected_seconds(health, usage.output_tokens),
        health=health.score,
    )
    is_away = not is_half_open and condition_at(health, now) is not Condition.OPEN_TO_REQUESTS
    is_unpriced = market.cards is not None and card is None
    room = offer.max_output_tokens or offer.window
    ranked = Ranked(offer, card, value.total, score, trusted, offer.window, room)
    return ranked, 2 * is_away + is_unpriced


def _free_variant(
    ranked: Ranked, criteria: Criteria, local_providers: frozenset[str]
) -> Rejection | None:
    """Reject what would win every comparison of costs and answer a few requests a day."""
    offer, card = ranked.offer, ranked.card
    if criteria.allow_free or card is None or not card.is_free:
        return None
    if offer.provider in local_providers:
        return None
    detail = "Costs nothing, which the policy does not allow; such offers are limited to few calls."
    return Rejection(offer.offer, RejectionReason.FREE_VARIANT, detail)


def _rejection(
    ranked: Ranked, criteria: Criteria, market: Market, keyed: frozenset[str]
) -> Rejection | None:
    reason, detail = _problem(ranked, criteria, market, keyed)
    return Rejection(ranked.offer.offer, reason, detail) if reason is not None else None


def _problem(
    ranked: Ranked, criteria: Criteria, market: Market, keyed: frozenset[str]
) -> tuple[RejectionReason | None, str]:
    offer = ranked.offer
    provider = offer.provider
    if not _is_allowed(provider, criteria):
        return RejectionReason.PROVIDER_NOT_ALLOWED, f"The policy does not allow {provider}."
    if keyed and provider not in keyed:
        return RejectionReason.NO_KEY, f"There is no key for {provider}."
    if criteria.region and criteria.region not in offer.regions:
        where = ", ".join(sorted(offer.regions)) or "regions that its source does not name"
        return RejectionReason.WRONG_REGION, f"Served in {where}, not in {criteria.region}."
    if missing := criteria.needed_capabilities & ~offer.capabilities:
        return RejectionReason.MISSING_CAPABILITY, f"Lacks {capability.words(missing)}."
    return _worth_problem(ranked, criteria, market)


def _is_allowed(provider: str, criteria: Criteria) -> bool:
    if provider in criteria.denied_providers:
        return False
    return not criteria.allowed_providers or provider in criteria.allowed_providers


def _worth_problem(
    ranked: Ranked, criteria: Criteria, market: Market
) -> tuple[RejectionReason | None, str]:
    score = ranked.quality
    if score < criteria.quality_floor:
        detail = f"Quality {score:g}, at least {criteria.quality_floor:g} is asked for."
        return RejectionReason.QUALITY_TOO_LOW, detail
    if market.cards is not None and not criteria.allow_unpriced and ranked.card is None:
        return RejectionReason.UNPRICED, "No source publishes its price."
    return None, ""
