"""`steelyard sync`."""

from collections.abc import AsyncIterable, Callable
from typing import Any, Self, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_cli.failure import EXIT_USAGE, CommandError
from steelyard_cli.output import day_if, label, print_facts, print_json, print_line, print_table
from steelyard_cli.services import Connection, ask

SYNC_SECONDS = 300.0
AUTO = "auto"

Event: TypeAlias = pb.SyncModelsResponse | pb.SyncQualityResponse
Start: TypeAlias = Callable[[RegistryServiceStub], AsyncIterable[Event]]


def show_sync(what: str | None, *, source: str | None, force: bool, as_json: bool) -> None:
    """Sync `models`, `quality`, or one after the other, then print the reports.

    Args:
        what: Which of them; None means both.
        source: Which evidence to read for quality; None means all.
        force: Read sources even when they are fresh.
        as_json: Print JSON, and no bars.

    Raises:
        CommandError: There is no such source.
    """
    number = _source(source)
    reports: dict[str, pb.SyncReport] = {}
    if what != "quality":
        models = pb.SyncModelsRequest(force=force)
        reports["models"] = _run(
            lambda stub: stub.SyncModels(models, timeout=SYNC_SECONDS), is_quiet=as_json
        )
    if what != "models":
        quality = pb.SyncQualityRequest(source=number, force=force)
        reports["quality"] = _run(
            lambda stub: stub.SyncQuality(quality, timeout=SYNC_SECONDS), is_quiet=as_json
        )
    if as_json:
        print_json(_documents(reports, source or AUTO))
    else:
        for name, report in reports.items():
            _print(name, report)


def _run(start: Start, *, is_quiet: bool) -> pb.SyncReport:
    async def question(connection: Connection) -> pb.SyncReport | None:
        report = None
        with _Bars(hidden=is_quiet) as bars:
            async for event in start(RegistryServiceStub(connection.channel)):
                if event.HasField("progress"):
                    bars.show(event.progress)
                else:
                    report = event.report
        return report

    report = ask("registry", question)
    if report is None:
        raise CommandError("the registry ended the sync without a report")
    return report


def _documents(reports: dict[str, pb.SyncReport], source: str) -> dict[str, Any]:
    """Return the reports for JSON, each with the names of its REST route."""
    documents = {name: _document(report) for name, report in reports.items()}
    if "quality" in documents:
        documents["quality"] = {"source": source, "result": documents["quality"]}
    return documents


def _document(report: pb.SyncReport) -> dict[str, Any]:
    return {
        "updated": report.updated_count,
        "added": report.added_count,
        "deprecated": report.deprecated_count,
        "restored": report.restored_count,
        "not_found": report.not_found_count,
        "skipped": report.skipped_count,
        "not_found_names": list(report.not_found),
        "errors": list(report.errors),
        "sources": [
            {
                "source": each.source,
                "result": _result(each),
                "message": each.message,
                "entry_count": each.entry_count,
                "edition_date": day_if(each, "edition_date"),
            }
            for each in report.outcomes
        ],
        "duration_seconds": report.duration.ToTimedelta().total_seconds(),
        "catalog_version": report.catalog_version,
    }


def _print(name: str, report: pb.SyncReport) -> None:
    print_table(
        ["source", "result", "entries>", "edition", ""],
        [
            [each.source, _result(each) or "", f"{each.entry_count:,}",
             str(day_if(each, "edition_date") or ""), each.message]
            for each in report.outcomes
        ],
        title=name,
    )  # fmt: skip
    print_facts(
        {
            "updated": f"{report.updated_count:,}",
            "added": f"{report.added_count:,}",
            "deprecated": f"{report.deprecated_count:,}",
            "restored": f"{report.restored_count:,}",
            "not found": f"{report.not_found_count:,}",
            "skipped": f"{report.skipped_count:,}",
            "took": f"{report.duration.ToTimedelta().total_seconds():.1f} s",
            **{f"error {number}": text for number, text in enumerate(report.errors, 1)},
        }
    )
    print_line()


def _source(name: str | None) -> "pb.QualitySource.ValueType":
    allowed = {
        each.removeprefix("QUALITY_SOURCE_").lower(): number
        for each, number in pb.QualitySource.items()
        if number
    }
    if name is not None and name not in allowed:
        raise CommandError(f"--source must be one of {', '.join(allowed)}", exit_code=EXIT_USAGE)
    return allowed[name or AUTO]


def _result(outcome: pb.SourceOutcome) -> str | None:
    return label(pb.SourceResult, outcome.result, "SOURCE_RESULT_")


class _Bars:
    """A bar a source on a terminal; nothing where nobody looks."""

    def __init__(self, *, hidden: bool) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description:<20}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}", markup=False),
            console=console,
            disable=hidden or not console.is_terminal,
        )
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._progress.stop()

    def show(self, progress: pb.SyncProgress) -> None:
        """Move the bar of one source."""
        said = progress.message
        if progress.source not in self._bars:
            self._bars[progress.source] = self._progress.add_task(progress.source, said=said)
        self._progress.update(
            self._bars[progress.source],
            completed=progress.done_count,
            total=progress.total_count or None,
            said=said,
        )
