"""Refreshes and the state of the catalogue."""

from datetime import datetime
from typing import cast

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.message_times import to_date, to_timestamp
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.comparison import CURATED, SEED
from steelyard_pricing.domain.refresh_events import Phase, Progress, Report, SourceOutcome
from steelyard_pricing.domain.snapshot import SourceFacts
from steelyard_pricing.domain.source import PriceSource, ServedCopy, SourceFailure

_NO_COPY = ServedCopy()


def to_event(event: Progress | Report) -> pb.RefreshPricesResponse:
    """Return one message of a refresh."""
    if isinstance(event, Progress):
        return pb.RefreshPricesResponse(
            progress=pb.RefreshProgress(
                source=event.source,
                phase=_to_phase(event.phase),
                byte_count=event.byte_count,
                total_byte_count=event.total_byte_count,
                message=event.message,
            )
        )
    return pb.RefreshPricesResponse(report=_to_report(event))


def to_status(catalogue: Catalogue, now: datetime) -> pb.GetCatalogStatusResponse:
    """Return the state of the catalogue."""
    snapshot = catalogue.snapshot
    sources = [_to_source_status(catalogue, source, now) for source in catalogue.sources]
    if SEED in catalogue.facts:
        sources.append(_to_seed_status(catalogue))
    if CURATED in catalogue.facts:
        sources.append(_to_curated_status(catalogue.facts[CURATED]))
    return pb.GetCatalogStatusResponse(
        model_count=len(snapshot.listings),
        priced_count=snapshot.priced_count,
        provider_count=snapshot.provider_count,
        snapshot_version=snapshot.version,
        snapshot_time=to_timestamp(snapshot.published_time),
        last_updated_time=to_timestamp(catalogue.last_updated_time()),
        cache_valid=catalogue.is_valid(now),
        stale=catalogue.is_stale(now),
        sources=sources,
        refreshing=catalogue.is_refreshing,
        quarantined_count=catalogue.waiting_count,
    )


def _to_report(report: Report) -> pb.RefreshReport:
    message = pb.RefreshReport(
        model_count=report.model_count,
        fetched_count=report.fetched_count,
        added_count=report.changes.added,
        changed_count=report.changes.changed,
        removed_count=report.changes.removed,
        unchanged_count=report.changes.unchanged,
        quarantined_count=report.held_count,
        sources=map(_to_source_report, report.outcomes),
        snapshot_version=report.snapshot_version,
    )
    message.duration.FromTimedelta(report.duration)
    return message


def _to_source_report(outcome: SourceOutcome) -> pb.SourceReport:
    message = pb.SourceReport(
        source=outcome.source,
        outcome=_to_phase(outcome.outcome),
        fetched_count=outcome.fetched_count,
        dropped_count=outcome.dropped_count,
        error=_to_error(outcome.failure),
        byte_count=outcome.byte_count,
        quarantined_count=outcome.held_count,
    )
    message.duration.FromTimedelta(outcome.duration)
    return message


def _to_source_status(catalogue: Catalogue, source: PriceSource, now: datetime) -> pb.SourceStatus:
    state = catalogue.state(source.name)
    copy = catalogue.copies.get(source.name, _NO_COPY)
    return pb.SourceStatus(
        source=source.name,
        uri=source.shown_uri,
        enabled=source.is_enabled,
        model_count=catalogue.contributions().get(source.name, 0),
        etag=copy.etag or "",
        last_success_time=to_timestamp(state.last_success_time),
        last_attempt_time=to_timestamp(state.last_attempt_time),
        last_error=_to_error(state.last_failure),
        success_rate=state.success_rate,
        stale=state.is_stale(now, catalogue.time_to_live),
        sha256=copy.sha256,
    )


def _to_seed_status(catalogue: Catalogue) -> pb.SourceStatus:
    return pb.SourceStatus(
        source=SEED,
        enabled=True,
        model_count=catalogue.contributions()[SEED],
        stale=True,
        edition_date=to_date(catalogue.copies[SEED].edition_date),
    )


def _to_curated_status(curated: SourceFacts) -> pb.SourceStatus:
    newest = max(each.observed_time for each in curated.facts)
    return pb.SourceStatus(
        source=CURATED,
        enabled=True,
        model_count=len(curated.facts),
        edition_date=to_date(newest.date()),
    )


def _to_error(failure: SourceFailure | None) -> pb.SourceError | None:
    if failure is None:
        return None
    return pb.SourceError(
        cause=failure.cause, message=failure.message, time=to_timestamp(failure.time)
    )


def _to_phase(phase: Phase) -> "pb.RefreshPhase.ValueType":
    return cast("pb.RefreshPhase.ValueType", phase)
