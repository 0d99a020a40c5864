"""Which page of a list is asked for, checked."""

from steelyard_common.errors import InvalidFieldError
from steelyard_health.domain.outcome import is_provider

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000


def from_page_size(size: int) -> int:
    """Return how many items a page has: the default for 0, the maximum for more.

    Raises:
        InvalidFieldError: It is negative.
    """
    if size < 0:
        raise InvalidFieldError("page_size", "must not be negative")
    return min(size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def from_provider_filter(provider: str) -> str:
    """Return the provider that a list is about; empty for all.

    Raises:
        InvalidFieldError: It can be no id of a provider.
    """
    if provider and not is_provider(provider):
        raise InvalidFieldError("provider", "must be the id of a provider")
    return provider
