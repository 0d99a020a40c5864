"""What health is told of: an offer or a whole provider, for everybody or for one tenant."""

from typing import NamedTuple

from steelyard_health.domain.outcome import provider_of

EVERYBODY = ""


class Subject(NamedTuple):
    """An offer or a provider, as one tenant or everybody sees it."""

    provider: str
    offer: str = ""
    """Empty when the whole provider is meant."""
    tenant_id: str = EVERYBODY
    """Empty when everybody is told."""

    @classmethod
    def of(cls, name: str, tenant_id: str = EVERYBODY) -> "Subject":
        """Return the subject of a name: an offer's has a slash, a provider's has none."""
        return cls(provider_of(name), name if "/" in name else "", tenant_id)

    @property
    def name(self) -> str:
        """Id of the offer or of the provider."""
        return self.offer or self.provider
