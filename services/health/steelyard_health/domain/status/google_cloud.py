"""`incidents.json` of Google's cloud: a year of incidents of all products.

Products are told apart by id, for titles are being renamed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from steelyard_health.domain.status.json_body import decoded
from steelyard_health.domain.status.judging import judged
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.reading import (
    Component,
    PageReading,
    Report,
    UnreadablePageError,
)
from steelyard_health.domain.status.rules import ComponentRules
from steelyard_health.domain.status.texts import instant, plain

_OVER = "AVAILABLE"
_LEVELS: Final[Mapping[str, StatusLevel]] = {
    _OVER: StatusLevel.OPERATIONAL,
    "SERVICE_INFORMATION": StatusLevel.OPERATIONAL,
    "SERVICE_DISRUPTION": StatusLevel.DEGRADED,
    "SERVICE_OUTAGE": StatusLevel.OUTAGE,
}
_SITE = "https://status.cloud.google.com/"


class _Product(msgspec.Struct):
    id: str
    title: str = ""


class _Update(msgspec.Struct):
    text: str | None = None
    status: str | None = None
    when: str | None = None


class _Incident(msgspec.Struct):
    id: str
    begin: str
    affected_products: list[_Product] | None = None
    end: str | None = None
    modified: str | None = None
    external_desc: str | None = None
    most_recent_update: _Update | None = None
    status_impact: str | None = None
    uri: str | None = None


_DECODER: Final = msgspec.json.Decoder(list[_Incident])


def read_google_cloud(body: bytes, rules: ComponentRules, now: datetime) -> PageReading:
    """Return what the list says of the products in `rules.products`; others are not even kept.

    Raises:
        UnreadablePageError: It is no such list.
    """
    del now
    incidents = decoded(_DECODER, body)
    return judged(
        rules,
        (),
        (
            _report(raw)
            for raw in incidents
            if any(product.id in rules.products for product in raw.affected_products or [])
        ),
    )


def _report(raw: _Incident) -> Report:
    start = instant(raw.begin)
    if start is None:
        raise UnreadablePageError("tells of an incident without its start")
    update = raw.most_recent_update or _Update()
    modified = instant(raw.modified)
    end = instant(raw.end)
    if end is None and update.status == _OVER:
        end = instant(update.when) or modified or start
    return Report(
        incident_id=raw.id,
        title=raw.external_desc or "",
        impact=_impact(raw, update, is_over=end is not None),
        start_time=start,
        components=tuple(
            Component(each.title, StatusLevel.UNKNOWN) for each in raw.affected_products or []
        ),
        touches_api=True,
        end_time=end,
        update_time=modified,
        url=f"{_SITE}{raw.uri}" if raw.uri else "",
        description=plain(update.text or ""),
    )


def _impact(raw: _Incident, update: _Update, *, is_over: bool) -> StatusLevel:
    """Return the present impact while it lasts, the impact of the whole once it is over."""
    present = None if is_over else _LEVELS.get(update.status or "")
    # A word that is not known is still that of an incident.
    return present or _LEVELS.get(raw.status_impact or "", StatusLevel.DEGRADED)
