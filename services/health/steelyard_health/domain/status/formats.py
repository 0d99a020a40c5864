"""The formats of status pages, by the names that the registry gives them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from steelyard_health.domain.status.aws import read_aws
from steelyard_health.domain.status.betterstack import read_betterstack
from steelyard_health.domain.status.flashduty import read_flashduty
from steelyard_health.domain.status.google_cloud import read_google_cloud
from steelyard_health.domain.status.instatus import read_instatus
from steelyard_health.domain.status.reading import PageReading, UnreadablePageError
from steelyard_health.domain.status.rss import read_rss
from steelyard_health.domain.status.rules import ComponentRules
from steelyard_health.domain.status.statuspage import read_statuspage

PageReader = Callable[[bytes, ComponentRules, datetime], PageReading]

GOOGLE: Final = "google"
AWS: Final = "aws"
RSS: Final = "rss"

READERS: Final[Mapping[str, PageReader]] = MappingProxyType(
    {
        "statuspage": read_statuspage,
        "betterstack": read_betterstack,
        "instatus": read_instatus,
        "flashduty": read_flashduty,
        GOOGLE: read_google_cloud,
        AWS: read_aws,
        RSS: read_rss,
    }
)

_MAX_BYTES = 1024 * 1024
# A year of incidents of a whole cloud, which had 1.35 MB in 2022.
_MAX_GOOGLE_BYTES = 4 * 1024 * 1024


def max_bytes(status_format: str) -> int:
    """Return how large a page of a format may be, unpacked."""
    return _MAX_GOOGLE_BYTES if status_format == GOOGLE else _MAX_BYTES


def read_page(status_format: str, body: bytes, rules: ComponentRules, now: datetime) -> PageReading:
    """Return what the body of a page says of the API.

    Args:
        status_format: One of `READERS`.
        body: Unpacked.
        rules: What counts as the API.
        now: Decides which planned work goes on.

    Raises:
        UnreadablePageError: It is not what the format promises, or too large.
    """
    if len(body) > max_bytes(status_format):
        raise UnreadablePageError("is too large")
    return READERS[status_format](body, rules, now)
