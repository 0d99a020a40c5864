"""The platform's keys, as far as probes use them."""

import re
from collections.abc import Mapping
from typing import Final

import structlog
from pydantic import SecretStr

from steelyard_health.domain.provider import Provider

MAX_KEY_LENGTH: Final = 512

# What a header can hold: anything else would be an error whose text quotes the key.
_KEY = re.compile(rf"[!-~]{{1,{MAX_KEY_LENGTH}}}", re.ASCII)

logger = structlog.get_logger(__name__)


class ProbeKeys:
    """Reads a key where the provider's record says, each time that it is asked for."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take where variables are, such as `os.environ`."""
        self._environment = environment
        self._warned: set[str] = set()

    def key_of(self, provider: Provider) -> SecretStr | None:
        """Return the key of a provider; None when there is none that can be used."""
        for variable in provider.key_variables:
            key = self._environment.get(variable, "").strip()
            if not key:
                continue
            if _KEY.fullmatch(key):
                return SecretStr(key)
            if variable not in self._warned:
                self._warned.add(variable)
                logger.warning("no key can look like that", variable=variable)
        return None
