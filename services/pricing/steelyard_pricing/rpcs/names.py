"""Offers and providers that callers name."""

from steelyard_catalog.nearest import nearest
from steelyard_common.errors import ModelNotFoundError, ProviderNotFoundError
from steelyard_pricing.domain.snapshot import Snapshot


def offer_named(snapshot: Snapshot, name: str) -> str:
    """Return the id of the offer that a name means.

    Raises:
        ModelNotFoundError: It means none.
    """
    listing = snapshot.find(name)
    if listing is None:
        raise ModelNotFoundError(name, snapshot.nearest(name))
    return listing.offer


def known_provider(snapshot: Snapshot, provider: str) -> str:
    """Return a provider that sells something.

    Raises:
        ProviderNotFoundError: It sells nothing.
    """
    providers = {listing.fact.name.provider for listing in snapshot.listings.values()}
    if provider not in providers:
        raise ProviderNotFoundError(provider, nearest(provider, providers))
    return provider
