"""Offer ids: `{provider}/{the provider's own id of the model}`."""


def offer_id(provider: str, provider_model: str) -> str:
    """Return the id of one model at one provider."""
    return f"{provider}/{provider_model}"


def split_offer(offer: str) -> tuple[str, str]:
    """Return provider and provider's model id; the provider ends at the first slash.

    Raises:
        ValueError: One of the two is missing.
    """
    provider, _, provider_model = offer.partition("/")
    if not provider or not provider_model:
        raise ValueError(f"not an offer id: {offer!r}")
    return provider, provider_model
