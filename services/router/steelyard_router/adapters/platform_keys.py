"""Keys that the platform has: who can be called when a tenant has none of its own."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import SecretStr

from steelyard_router.domain.key_source import KeySource

OLLAMA = "ollama"


class PlatformKeys:
    """Every tenant may use the platform's keys."""

    def __init__(
        self, keys: Mapping[str, SecretStr | None], local_providers: frozenset[str]
    ) -> None:
        """Look at which keys there are; what they say stays where it is.

        Args:
            keys: By provider.
            local_providers: Providers that need no key.
        """
        present = {name for name, key in keys.items() if key and key.get_secret_value().strip()}
        self._sources: Mapping[str, KeySource] = MappingProxyType(
            dict.fromkeys(present, KeySource.PLATFORM)
            | dict.fromkeys(local_providers, KeySource.NONE_NEEDED)
        )
        self._providers = frozenset(self._sources)

    def providers(self, tenant_id: str) -> frozenset[str]:
        del tenant_id
        return self._providers

    def sources(self, tenant_id: str) -> Mapping[str, KeySource]:
        """Return whose key it would be, by provider, where there is one or none is needed."""
        del tenant_id
        return self._sources
