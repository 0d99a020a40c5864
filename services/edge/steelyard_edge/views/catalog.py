"""The state of the price catalogue, and what a refresh of it brought."""

from typing import Any

from steelyard.pricing.v1.pricing_service_pb2 import (
    CompareProvidersResponse,
    GetCatalogStatusResponse,
    ListCheapestResponse,
    RefreshPhase,
    RefreshReport,
    SourceError,
    SourceReport,
    SourceStatus,
)
from steelyard_edge.views.comparison import compared, ranked
from steelyard_edge.views.scalars import day, label, moment, seconds, text


def overview(
    status: GetCatalogStatusResponse,
    cheapest: ListCheapestResponse,
    comparison: CompareProvidersResponse,
) -> dict[str, Any]:
    return {
        "model_count": status.model_count,
        "priced_count": status.priced_count,
        "provider_count": status.provider_count,
        "quarantined_count": status.quarantined_count,
        "last_updated": moment(status, "last_updated_time"),
        "cache_valid": status.cache_valid,
        "stale": status.stale,
        "refreshing": status.refreshing,
        "snapshot_version": status.snapshot_version,
        "snapshot_time": moment(status, "snapshot_time"),
        "sources": [_source(each) for each in status.sources],
        "cheapest_models": [ranked(each) for each in cheapest.offers],
        "provider_comparison": [compared(each) for each in comparison.providers],
    }


def refreshed(report: RefreshReport) -> dict[str, Any]:
    return {
        "models_fetched": report.fetched_count,
        "model_count": report.model_count,
        "added": report.added_count,
        "changed": report.changed_count,
        "removed": report.removed_count,
        "quarantined": report.quarantined_count,
        "unchanged": report.unchanged_count,
        "duration_seconds": seconds(report.duration),
        "sources": [_source_report(each) for each in report.sources],
        "snapshot_version": report.snapshot_version,
    }


def _source(source: SourceStatus) -> dict[str, Any]:
    return {
        "source": source.source,
        "uri": text(source.uri),
        "enabled": source.enabled,
        "model_count": source.model_count,
        "etag": text(source.etag),
        "last_success": moment(source, "last_success_time"),
        "last_attempt": moment(source, "last_attempt_time"),
        "last_error": _error(source.last_error) if source.HasField("last_error") else None,
        "success_rate": source.success_rate if source.HasField("success_rate") else None,
        "stale": source.stale,
        "sha256": text(source.sha256),
        "edition_date": day(source, "edition_date"),
    }


def _source_report(report: SourceReport) -> dict[str, Any]:
    return {
        "source": report.source,
        "outcome": label(RefreshPhase, report.outcome, "REFRESH_PHASE_"),
        "fetched": report.fetched_count,
        "dropped": report.dropped_count,
        "quarantined": report.quarantined_count,
        "error": _error(report.error) if report.HasField("error") else None,
        "duration_seconds": seconds(report.duration),
        "byte_count": report.byte_count,
    }


def _error(error: SourceError) -> dict[str, Any]:
    return {"cause": error.cause, "message": error.message, "time": moment(error, "time")}
