"""Small bodies of status pages, and what the tests read them with."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from steelyard_health.adapters.status_rules import RuleTable, read_status_rules
from steelyard_health.domain.status.formats import read_page
from steelyard_health.domain.status.reading import PageReading

NOW = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
STARTED = "2026-01-02T02:00:00Z"
LATER = "2026-01-02T04:00:00Z"
RULES: RuleTable = read_status_rules()


def read(
    status_format: str, body: bytes | str | object, provider: str = "acme", now: datetime = NOW
) -> PageReading:
    """Return what a page says of a provider's API; what is no text becomes JSON."""
    if isinstance(body, str):
        body = body.encode()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_page(status_format, raw, RULES.of(provider), now)


def summary(
    components: Mapping[str, str], incidents: Sequence[Mapping[str, Any]] = (), **more: Any
) -> dict[str, Any]:
    """Return a summary as Statuspage has it: statuses of components by name."""
    return {
        "components": [{"name": name, "status": state} for name, state in components.items()],
        "incidents": list(incidents),
        **more,
    }


def incident(
    name: str = "Elevated errors",
    impact: str = "minor",
    components: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return an open incident as Statuspage has it."""
    return {
        "id": "i1",
        "name": name,
        "status": "investigating",
        "impact": impact,
        "started_at": STARTED,
        "components": [
            {"name": part, "status": state} for part, state in (components or {}).items()
        ],
        **more,
    }


def rss(*items: str) -> str:
    """Return a feed with some items."""
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{"".join(items)}</channel></rss>'


def item(
    title: str,
    description: str,
    *,
    date: str = "Fri, 02 Jan 2026 02:00:00 GMT",
    guid: str = "g1",
    more: str = "",
) -> str:
    """Return one item of a feed."""
    return (
        f"<item><title>{title}</title><guid>{guid}</guid><pubDate>{date}</pubDate>"
        f"<description><![CDATA[{description}]]></description>{more}</item>"
    )
