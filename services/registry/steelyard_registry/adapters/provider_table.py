"""The bundled table of providers, and addresses that the environment sets."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

from steelyard_registry.domain.providers import AuthStyle, Provider, WireFormat

WIRE_FORMATS = {
    "openai": WireFormat.OPENAI,
    "anthropic": WireFormat.ANTHROPIC,
    "gemini": WireFormat.GEMINI,
}
AUTH_STYLES = {
    "bearer": AuthStyle.BEARER,
    "x-api-key": AuthStyle.X_API_KEY,
    "x-goog-api-key": AuthStyle.X_GOOG_API_KEY,
    "none": AuthStyle.NONE,
}


def read_providers(
    base_urls: Mapping[str, str] | None = None, custom: Mapping[str, Provider] | None = None
) -> dict[str, Provider]:
    """Return the known sellers by id.

    Args:
        base_urls: Roots that replace all others, by provider.
        custom: Those of the installation's own file, which come before the bundled ones.
    """
    text = (files("steelyard_registry") / "data" / "providers.toml").read_text("utf-8")
    providers = {name: _provider(name, row) for name, row in tomllib.loads(text).items()}
    providers |= custom or {}
    for name, url in (base_urls or {}).items():
        # Who answers there hands out keys of its own: a proxy, a test server.
        providers[name] = replace(providers[name], base_url=url, key_pattern="")
    return providers


def base_urls(
    environment: Mapping[str, str], prefix: str, custom: Iterable[str] = ()
) -> dict[str, str]:
    """Return the roots that `{prefix}PROVIDER_{PROVIDER}_BASE_URL` set, by provider.

    `{prefix}OLLAMA_BASE_URL` is another name for Ollama's. A hyphen of a provider is an underscore
    in the variable. Empty variables count as not set.

    Args:
        environment: Variables by name.
        prefix: Of the program's variables.
        custom: Providers of the installation's own file.

    Raises:
        ValueError: Some are no URLs, or of providers that nobody knows; it names all of them.
    """
    bundled = (each.provider for each in read_providers().values() if each.is_routable)
    known = {name.replace("-", "_"): name for name in sorted({*bundled, *custom})}
    found = {
        variable: (match[1] or match[2]).lower()
        for variable, value in environment.items()
        if value
        and (match := re.fullmatch(rf"{prefix}(?:PROVIDER_(\w+)|(OLLAMA))_BASE_URL", variable))
    }
    problems = [
        f"{variable}: must start with https:// or http://"
        for variable in found
        if not environment[variable].startswith(("https://", "http://"))
    ]
    problems += [
        f"{variable}: must not contain a user or password"
        for variable in found
        if "@" in environment[variable].partition("://")[2].partition("/")[0]
    ]
    problems += [
        f"{variable}: there is no provider {provider}"
        for variable, provider in found.items()
        if provider not in known
    ]
    if problems:
        raise ValueError("; ".join(sorted(problems)))
    return {
        known[provider]: environment[variable].rstrip("/")
        for variable, provider in sorted(found.items())
    }


def _provider(name: str, row: dict[str, Any]) -> Provider:
    words = dict(row)
    wire_format = words.pop("wire_format", None)
    auth_style = words.pop("auth_style", None)
    key_variables = tuple(words.pop("key_variables", ()))
    return Provider(
        provider=name,
        wire_format=WIRE_FORMATS[wire_format] if wire_format else WireFormat.UNKNOWN,
        auth_style=AUTH_STYLES[auth_style] if auth_style else AuthStyle.UNKNOWN,
        key_variables=key_variables,
        **words,
    )
