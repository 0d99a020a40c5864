"""`steelyard changes`."""

from datetime import UTC, datetime
from typing import Any, Literal

from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.price_change_pb2 import PriceChange, PriceChangeKind
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_cli.commands.prices import INPUT, OUTPUT, as_document, base_rate
from steelyard_cli.output import UNKNOWN, per_1m, print_json, print_line, print_table
from steelyard_cli.services import Connection, ask

Side = Literal["before", "after"]


def show_changes(*, since: datetime | None, offer: str, limit: int, as_json: bool) -> None:
    """Print one line per change, newest first."""
    request = pb.ListPriceChangesRequest(offer=offer, page_size=limit)
    if since is not None:
        request.since_time.CopyFrom(_timestamp(since))

    async def question(connection: Connection) -> pb.ListPriceChangesResponse:
        stub = PricingServiceStub(connection.channel)
        return await stub.ListPriceChanges(request, timeout=connection.seconds)

    answer = ask("pricing", question)
    total = answer.page_info.total_count
    if as_json:
        print_json({"total_count": total, "changes": [_document(each) for each in answer.changes]})
        return
    print_table(
        ["observed (UTC)", "offer", "change", "input /1M>", "output /1M>", "ratio>"],
        [_row(each) for each in answer.changes],
    )
    if total > len(answer.changes):
        print_line(f"[dim]{len(answer.changes)} of {total}; see more with --limit[/dim]")


def _document(change: PriceChange) -> dict[str, Any]:
    """Return a change for JSON, with the names of the REST route."""
    return {
        "offer": change.offer,
        "kind": _kind(change),
        "before": as_document(change.before) if change.HasField("before") else None,
        "after": as_document(change.after) if change.HasField("after") else None,
        "ratio": change.ratio or None,
        "effective_time": change.effective_time.ToDatetime(tzinfo=UTC),
        "observed_time": change.observed_time.ToDatetime(tzinfo=UTC),
        "snapshot_version": change.snapshot_version,
    }


def _row(change: PriceChange) -> list[str]:
    observed = change.observed_time.ToDatetime(tzinfo=UTC)
    return [
        f"{observed:%Y-%m-%d %H:%M}",
        change.offer,
        _kind(change),
        _moved(change, INPUT),
        _moved(change, OUTPUT),
        f"{change.ratio:.3g}" if change.ratio else UNKNOWN,
    ]


def _moved(change: PriceChange, component: int) -> str:
    before, after = (_rate(change, side, component) for side in ("before", "after"))
    return after if before == after else f"{before} → {after}"


def _rate(change: PriceChange, side: Side, component: int) -> str:
    price = change.before if side == "before" else change.after
    return per_1m(base_rate(price, component))


def _kind(change: PriceChange) -> str:
    return PriceChangeKind.Name(change.kind).removeprefix("PRICE_CHANGE_KIND_").lower()


def _timestamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    # A naive instant is read as UTC.
    timestamp.FromDatetime(moment)
    return timestamp
