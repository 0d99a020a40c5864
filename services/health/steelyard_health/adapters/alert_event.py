"""News of alerts as the body of a webhook."""

from datetime import datetime
from typing import Any

import orjson

from steelyard_common.redaction import redacted_text
from steelyard_health.domain.alerting import Alert, AlertNews, AlertStep
from steelyard_health.domain.subject import EVERYBODY

TYPES = {
    AlertStep.BEGUN: "health.alert.begun",
    AlertStep.WORSENED: "health.alert.worsened",
    AlertStep.ENDED: "health.alert.ended",
}


def to_event(news: AlertNews) -> str:
    """Return the JSON of a message: names, figures and times, nothing that opens anything."""
    event = {
        "type": TYPES[news.step],
        "time": _time(news.time),
        # What people wrote at a provider may be in there: as in log lines, no key gets out.
        "evidence": redacted_text(news.evidence),
        "alert": _alert(news.alert),
    }
    return orjson.dumps(event).decode()


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "provider": alert.subject.provider,
        "offer": alert.subject.offer,
        "tenant_id": alert.subject.tenant_id,
        "platform_wide": alert.subject.tenant_id == EVERYBODY,
        "state": alert.state.name,
        "start_time": _time(alert.start_time),
        "end_time": None if alert.end_time is None else _time(alert.end_time),
        "evidence": redacted_text(alert.evidence),
    }


def _time(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
