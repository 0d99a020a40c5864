"""The state of the registry: syncs, sources, events, and names without a model."""

from typing import Any

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_edge.views.quality import basis_label
from steelyard_edge.views.scalars import day, label, moment, page, seconds, text


def synced(report: pb.SyncReport) -> dict[str, Any]:
    return {
        "updated": report.updated_count,
        "added": report.added_count,
        "deprecated": report.deprecated_count,
        "restored": report.restored_count,
        "not_found": report.not_found_count,
        "skipped": report.skipped_count,
        "not_found_names": list(report.not_found),
        "errors": list(report.errors),
        "sources": [_outcome(each) for each in report.outcomes],
        "duration_seconds": seconds(report.duration),
        "catalog_version": report.catalog_version,
    }


def status(answer: pb.GetRegistryStatusResponse) -> dict[str, Any]:
    counts = {basis_label(each.basis): each.model_count for each in answer.basis_counts}
    return {
        "catalog_version": answer.catalog_version,
        "published_time": moment(answer, "published_time"),
        "model_count": answer.model_count,
        "offer_count": answer.offer_count,
        "deprecated_offer_count": answer.deprecated_offer_count,
        "models_by_basis": {basis or "unknown": count for basis, count in counts.items()},
        "stale": answer.stale,
        "sources": [_source(each) for each in answer.sources],
    }


def unjoined(answer: pb.ListUnjoinedNamesResponse) -> dict[str, Any]:
    return {"names": [_unjoined(each) for each in answer.names], **page(answer.page_info)}


def events(answer: pb.ListCatalogEventsResponse) -> dict[str, Any]:
    return {"events": [_event(each) for each in answer.events], **page(answer.page_info)}


def _outcome(outcome: pb.SourceOutcome) -> dict[str, Any]:
    return {
        "source": outcome.source,
        "result": label(pb.SourceResult, outcome.result, "SOURCE_RESULT_"),
        "message": outcome.message,
        "entry_count": outcome.entry_count,
        "edition_date": day(outcome, "edition_date"),
    }


def _source(source: pb.SourceStatus) -> dict[str, Any]:
    return {
        "source": source.source,
        "enabled": source.enabled,
        "checked_time": moment(source, "checked_time"),
        "attempt_time": moment(source, "attempt_time"),
        "problem": text(source.problem),
        "entry_count": source.entry_count,
        "edition_date": day(source, "edition_date"),
        "stale": source.stale,
    }


def _unjoined(name: pb.UnjoinedName) -> dict[str, Any]:
    return {
        "source": name.source,
        "source_model": name.source_model,
        "reason": label(pb.UnjoinedReason, name.reason, "UNJOINED_REASON_"),
        "canonical_name": text(name.canonical_name),
        "nearest": list(name.nearest),
    }


def _event(event: pb.CatalogEvent) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "time": moment(event, "time"),
        "catalog_version": event.catalog_version,
        "kind": label(pb.CatalogEventKind, event.kind, "CATALOG_EVENT_KIND_"),
        "model": text(event.model),
        "offer": text(event.offer),
        "changes": [_change(each) for each in event.changes],
        "actor": text(event.actor),
        "note": text(event.note),
    }


def _change(change: pb.FieldChange) -> dict[str, Any]:
    return {
        "field": change.field,
        "before": text(change.before),
        "after": text(change.after),
    }
