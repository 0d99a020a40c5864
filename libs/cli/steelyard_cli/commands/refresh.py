"""`steelyard refresh`."""

from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_cli.failure import CommandError
from steelyard_cli.output import print_facts, print_json, print_table
from steelyard_cli.services import Connection, ask

REFRESH_SECONDS = 300.0


def show_refresh(*, force: bool, as_json: bool) -> None:
    """Read all sources, with a bar for each while that takes, then print the report."""

    async def question(connection: Connection) -> pb.RefreshReport | None:
        stub = PricingServiceStub(connection.channel)
        request = pb.RefreshPricesRequest(force=force)
        report = None
        with _Bars(hidden=as_json) as bars:
            async for event in stub.RefreshPrices(request, timeout=REFRESH_SECONDS):
                if event.HasField("progress"):
                    bars.show(event.progress)
                else:
                    report = event.report
        return report

    report = ask("pricing", question)
    if report is None:
        raise CommandError("pricing ended the refresh without a report")
    if as_json:
        print_json(as_document(report))
    else:
        _print(report)


def as_document(report: pb.RefreshReport) -> dict[str, Any]:
    """Return the report for JSON, with the names of the REST route."""
    return {
        "models_fetched": report.fetched_count,
        "model_count": report.model_count,
        "added": report.added_count,
        "changed": report.changed_count,
        "removed": report.removed_count,
        "quarantined": report.quarantined_count,
        "unchanged": report.unchanged_count,
        "duration_seconds": report.duration.ToTimedelta().total_seconds(),
        "sources": [
            {
                "source": each.source,
                "outcome": _phase(each.outcome),
                "fetched": each.fetched_count,
                "dropped": each.dropped_count,
                "error": {"cause": each.error.cause, "message": each.error.message}
                if each.HasField("error")
                else None,
            }
            for each in report.sources
        ],
    }


def _print(report: pb.RefreshReport) -> None:
    print_table(
        ["source", "outcome", "offers>", "dropped>", ""],
        [
            [each.source, _phase(each.outcome), f"{each.fetched_count:,}",
             f"{each.dropped_count:,}", each.error.message]
            for each in report.sources
        ],
    )  # fmt: skip
    print_facts(
        {
            "offers now": f"{report.model_count:,}",
            "added": f"{report.added_count:,}",
            "changed": f"{report.changed_count:,}",
            "removed": f"{report.removed_count:,}",
            "held back": f"{report.quarantined_count:,}",
            "took": f"{report.duration.ToTimedelta().total_seconds():.1f} s",
        }
    )


def _phase(phase: "pb.RefreshPhase.ValueType") -> str:
    return pb.RefreshPhase.Name(phase).removeprefix("REFRESH_PHASE_").lower()


class _Bars:
    """A bar a source on a terminal; nothing where nobody looks."""

    def __init__(self, *, hidden: bool) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[phase]}"),
            console=console,
            disable=hidden or not console.is_terminal,
        )
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._progress.stop()

    def show(self, progress: pb.RefreshProgress) -> None:
        """Move the bar of one source."""
        phase = _phase(progress.phase)
        if progress.source not in self._bars:
            self._bars[progress.source] = self._progress.add_task(progress.source, phase=phase)
        self._progress.update(
            self._bars[progress.source],
            completed=progress.byte_count,
            total=progress.total_byte_count or None,
            phase=phase,
        )
