"""Which status pages are read, and where."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from steelyard_health.adapters.status_rules import RuleTable
from steelyard_health.domain.provider import Provider
from steelyard_health.domain.status.formats import READERS
from steelyard_health.domain.status.rules import ComponentRules

_SWITCH = "STATUS_PAGES"

logger = structlog.get_logger(__name__)


class Directory(Protocol):
    """Knows providers."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Return them by id: the same object until they change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusUrls:
    """What the environment says of status pages."""

    is_on: bool = True
    by_provider: Mapping[str, str] = field(default_factory=dict)
    """URLs that replace the registry's, by provider with underscores; empty ones switch off."""

    def of(self, provider: Provider) -> str:
        """Return where a provider's page is read; empty when it is not."""
        if not self.is_on:
            return ""
        key = provider.provider.replace("-", "_").lower()
        return self.by_provider.get(key, provider.status_api_url)


def status_urls(environment: Mapping[str, str], prefix: str) -> StatusUrls:
    """Return what `{prefix}STATUS_PAGES` and `{prefix}STATUS_{PROVIDER}_URL` say.

    A hyphen of a provider is an underscore in the variable. `{prefix}STATUS_PAGES=off` switches all
    pages off, an empty URL that of its provider.

    Args:
        environment: Variables by name.
        prefix: Of the program's variables.

    Raises:
        ValueError: Some make no sense; it names all of them, and never a URL.
    """
    found = {
        variable: match[1].lower()
        for variable in environment
        if (match := re.fullmatch(rf"{prefix}STATUS_(\w+)_URL", variable))
    }
    switch = environment.get(f"{prefix}{_SWITCH}") or "on"
    problems = [
        f"{variable}: {problem}"
        for variable in found
        if (problem := _problem(environment[variable]))
    ]
    if switch not in {"on", "off"}:
        problems.append(f"{prefix}{_SWITCH}: must be on or off")
    if problems:
        raise ValueError("; ".join(sorted(problems)))
    return StatusUrls(
        is_on=switch == "on",
        by_provider={provider: environment[variable] for variable, provider in found.items()},
    )


def _problem(url: str) -> str:
    if not url:
        return ""
    if not url.startswith(("https://", "http://", "file://")):
        return "must start with https://, http:// or file://, or be empty"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is not a URL"
    if parts.username is not None or parts.password is not None:
        return "must not contain a user or password"
    if parts.scheme != "file" and not parts.hostname:
        return "must name a host"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSource:
    """A page that is read."""

    provider: str
    url: str = field(repr=False)
    """For programs; perhaps an installation's own, so it is shown to nobody."""
    format: str
    page_url: str
    """For people."""
    rules: ComponentRules


class StatusSources:
    """The pages of the providers that the directory knows now."""

    def __init__(self, directory: Directory, urls: StatusUrls, rules: RuleTable) -> None:
        self._directory = directory
        self._urls = urls
        self._rules = rules
        self._providers: Mapping[str, Provider] | None = None
        self._sources: Mapping[str, StatusSource] = MappingProxyType({})

    @property
    def is_on(self) -> bool:
        """Whether any page is read."""
        return self._urls.is_on

    @property
    def is_known(self) -> bool:
        """Whether the directory has answered; until then no source is known."""
        return bool(self._directory.providers)

    @property
    def current(self) -> Mapping[str, StatusSource]:
        """Pages by provider: the same object until they change."""
        providers = self._directory.providers
        if providers is not self._providers:
            found = (self._source(each) for each in providers.values())
            sources = {each.provider: each for each in found if each is not None}
            self._sources = MappingProxyType(sources)
            self._providers = providers
            self._warn_of_unknown(providers)
        return self._sources

    def _source(self, provider: Provider) -> StatusSource | None:
        url = self._urls.of(provider)
        if not url:
            return None
        if provider.status_format not in READERS:
            logger.warning(
                "the format of a status page is not known",
                provider=provider.provider,
                format=provider.status_format,
            )
            return None
        return StatusSource(
            provider=provider.provider,
            url=url,
            format=provider.status_format,
            page_url=provider.status_page_url,
            rules=self._rules.of(provider.provider),
        )

    def _warn_of_unknown(self, providers: Mapping[str, Provider]) -> None:
        known = {name.replace("-", "_").lower() for name in providers}
        unknown = sorted(self._urls.by_provider.keys() - known)
        if providers and unknown:
            logger.warning("there are status URLs of providers that nobody knows", names=unknown)
