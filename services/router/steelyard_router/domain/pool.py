"""Which offers can be routed to at all on one day: worked out once per version of the catalogue."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from steelyard_router.domain.catalog import Catalog, Offer, Provider
from steelyard_router.domain.rejection import Rejection, RejectionReason


class Outsiders:
    """Offers that no request could use; what to say of them is worked out for who wants to know.

    They are nine of ten offers, and hardly anybody does.
    """

    def __init__(self, found: Iterable[tuple[Offer, RejectionReason]] = ()) -> None:
        """Take offers in any order, each with what is wrong with it."""
        self._found = tuple(found)
        self.counts: Mapping[RejectionReason, int] = Counter(reason for _, reason in self._found)

    def __iter__(self) -> Iterator[Rejection]:
        """Yield them all, nearest to being used first."""
        return iter(self._rejections)

    @cached_property
    def _rejections(self) -> tuple[Rejection, ...]:
        return tuple(_rejection(*each) for each in sorted(self._found, key=_nearness))


@dataclass(frozen=True, slots=True)
class Pool:
    """Offers that compete, and those that do not."""

    offers: tuple[Offer, ...]
    outsiders: Outsiders
    providers: frozenset[str] = frozenset()
    """Sellers of the offers that compete."""
    local_providers: frozenset[str] = frozenset()
    """Providers of this installation's own, whose models cost nothing."""


def pool_of(
    catalog: Catalog, offers: Iterable[Offer], day: date, local_providers: frozenset[str]
) -> Pool:
    """Part offers by whether they chat, are still served, and can be called.

    Args:
        catalog: Where their providers are described.
        offers: All of the catalogue, or those of the model that a request names.
        day: For deprecations.
        local_providers: Providers without keys that this installation has, e.g. `ollama`.
    """
    open_providers = frozenset(
        name for name, each in catalog.providers.items() if _can_call(each, local_providers)
    )
    inside: list[Offer] = []
    outside: list[tuple[Offer, RejectionReason]] = []
    for offer in offers:
        if not offer.is_chat:
            outside.append((offer, RejectionReason.WRONG_MODE))
        elif not offer.is_served_on(day):
            outside.append((offer, RejectionReason.DEPRECATED))
        elif offer.provider not in open_providers:
            outside.append((offer, RejectionReason.PROVIDER_NOT_ROUTABLE))
        else:
            inside.append(offer)
    providers = frozenset(offer.provider for offer in inside)
    return Pool(tuple(inside), Outsiders(outside), providers, local_providers)


def _nearness(found: tuple[Offer, RejectionReason]) -> tuple[bool, float, str]:
    offer, reason = found
    return reason is RejectionReason.WRONG_MODE, -offer.quality.score, offer.offer


def _rejection(offer: Offer, reason: RejectionReason) -> Rejection:
    if reason is RejectionReason.WRONG_MODE:
        detail = "It does not chat."
    elif reason is RejectionReason.DEPRECATED:
        ended = offer.deprecation_date
        detail = f"No longer served from {ended} on." if ended else "No longer served."
    else:
        detail = f"Requests cannot be sent to {offer.provider}."
    return Rejection(offer.offer, reason, detail)


def _can_call(provider: Provider, local_providers: frozenset[str]) -> bool:
    if not provider.needs_key:
        return provider.provider in local_providers
    return provider.is_routable
