"""Keys that the platform has: who can be called when a tenant has none of its own."""

from collections.abc import Mapping

from pydantic import SecretStr

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
        self._providers = frozenset(present | local_providers)

    def providers(self, tenant_id: str) -> frozenset[str]:
        del tenant_id
        return self._providers
