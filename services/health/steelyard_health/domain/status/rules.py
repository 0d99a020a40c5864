"""Which components of a page are the API that requests go to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_BETWEEN_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRules:
    """What counts on one page. Phrases match whole words, whatever their case and punctuation."""

    api: tuple[str, ...] = ()
    """When there are any, only components with one of these phrases count."""
    other: tuple[str, ...] = ()
    """Components with one of these never count: chat apps, consoles, sites."""
    topics: tuple[str, ...] = ()
    """When there are any, only incidents with one of these phrases are read: of whole clouds."""
    products: frozenset[str] = frozenset()
    """Ids of products of Google's cloud."""
    services: tuple[str, ...] = ()
    """Services of Amazon's cloud, such as `bedrock`."""
    regions: tuple[str, ...] = ()
    """Regions of that cloud, such as `us-east-1`."""

    def __post_init__(self) -> None:
        # Phrases are compared again and again.
        for field in ("api", "other", "topics"):
            object.__setattr__(self, field, tuple(map(_words, getattr(self, field))))

    def counts(self, name: str) -> bool:
        """Whether a component is part of the API."""
        if _has_phrase(name, self.other):
            return False
        return not self.api or _has_phrase(name, self.api)

    def names_api(self, title: str) -> bool:
        """Whether a title says that the API is meant."""
        return _has_phrase(title, self.api or (" api ",))

    def names_other(self, title: str) -> bool:
        """Whether a title says that something else is meant."""
        return _has_phrase(title, self.other) and not self.names_api(title)

    def is_on_topic(self, texts: Iterable[str]) -> bool:
        """Whether an incident of a whole cloud is about the service."""
        return not self.topics or any(_has_phrase(text, self.topics) for text in texts)


def _has_phrase(text: str, phrases: Iterable[str]) -> bool:
    words = _words(text)
    return any(phrase in words for phrase in phrases)


def _words(text: str) -> str:
    return f" {_BETWEEN_WORDS.sub(' ', text.casefold()).strip()} "
