"""Syncs and the state of sources as messages."""

from typing import cast

from google.protobuf.duration_pb2 import Duration

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.message_times import to_date, to_timestamp
from steelyard_registry.domain.state import SourceState
from steelyard_registry.domain.sync_run import Progress, Report, SourceOutcome

MAX_NAMES = 100


def to_progress(progress: Progress) -> pb.SyncProgress:
    return pb.SyncProgress(
        source=progress.source,
        done_count=progress.done_count,
        total_count=progress.total_count,
        message=progress.message,
    )


def to_report(report: Report) -> pb.SyncReport:
    duration = Duration()
    duration.FromTimedelta(report.duration)
    return pb.SyncReport(
        added_count=report.added,
        updated_count=report.updated,
        deprecated_count=report.deprecated,
        restored_count=report.restored,
        not_found_count=len(report.not_found),
        not_found=report.not_found[:MAX_NAMES],
        skipped_count=report.skipped_count,
        errors=report.errors,
        duration=duration,
        catalog_version=report.version,
        outcomes=[_outcome(each) for each in report.outcomes],
    )


def to_source_status(
    name: str, state: SourceState, *, is_enabled: bool, is_stale: bool
) -> pb.SourceStatus:
    return pb.SourceStatus(
        source=name,
        enabled=is_enabled,
        checked_time=to_timestamp(state.checked_time),
        attempt_time=to_timestamp(state.attempt_time),
        problem=state.problem,
        entry_count=state.entry_count,
        edition_date=to_date(state.edition_date),
        stale=is_stale,
    )


def _outcome(outcome: SourceOutcome) -> pb.SourceOutcome:
    return pb.SourceOutcome(
        source=outcome.source,
        result=cast("pb.SourceResult.ValueType", outcome.result),
        message=outcome.message,
        entry_count=outcome.entry_count,
        edition_date=to_date(outcome.edition_date),
    )
