"""What happened to offers and models as messages."""

from typing import cast

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.message_times import to_timestamp
from steelyard_registry.domain.ports import StoredEvent


def to_event(stored: StoredEvent) -> pb.CatalogEvent:
    event = stored.event
    return pb.CatalogEvent(
        event_id=stored.event_id,
        time=to_timestamp(stored.time),
        catalog_version=stored.version,
        kind=cast("pb.CatalogEventKind.ValueType", event.kind),
        model=event.model,
        offer=event.offer,
        changes=[
            pb.FieldChange(field=each.field, before=each.before, after=each.after)
            for each in event.changes
        ],
        actor=event.actor,
        note=event.note,
    )
