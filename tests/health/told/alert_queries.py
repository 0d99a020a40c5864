"""What tests ask of alerts."""

from collections.abc import Sequence

from steelyard_health.adapters.alert_store import AlertStore
from steelyard_health.domain.alerting import Alert, AlertQuery, AlertStep
from steelyard_health.domain.changes import StateChange

Steps = Sequence[AlertStep | None]


async def steps_of(store: AlertStore, *changes: StateChange) -> Steps:
    """Return what each change did."""
    news = [await store.apply(change) for change in changes]
    return [None if each is None else each.step for each in news]


async def alerts_of(
    store: AlertStore, tenant_id: str = "", *, open_only: bool = False
) -> Sequence[Alert]:
    query = AlertQuery(tenant_id=tenant_id, open_only=open_only)
    return await store.page(query, before=None, limit=1000)
