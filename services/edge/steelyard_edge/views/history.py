"""What became of prices: changes, disagreements, what is held back, and what was published."""

from typing import Any

from steelyard.pricing.v1.price_change_pb2 import (
    HeldChange,
    HeldChangeState,
    PriceChange,
    PriceChangeKind,
)
from steelyard.pricing.v1.pricing_service_pb2 import (
    ListDisagreementsResponse,
    ListPriceChangesResponse,
    ListQuarantinedResponse,
    ListSnapshotsResponse,
    PriceDisagreement,
    PriceSnapshot,
)
from steelyard_edge.views.price import price, price_if
from steelyard_edge.views.scalars import label, moment, page, text


def changes(answer: ListPriceChangesResponse) -> dict[str, Any]:
    return {"changes": [_change(each) for each in answer.changes], **page(answer.page_info)}


def disagreements(answer: ListDisagreementsResponse) -> dict[str, Any]:
    listed = [_disagreement(each) for each in answer.disagreements]
    return {"disagreements": listed, **page(answer.page_info)}


def quarantine(answer: ListQuarantinedResponse) -> dict[str, Any]:
    listed = [held_change(each) for each in answer.held_changes]
    return {"held_changes": listed, **page(answer.page_info)}


def snapshots(answer: ListSnapshotsResponse) -> dict[str, Any]:
    return {"snapshots": [snapshot(each) for each in answer.snapshots], **page(answer.page_info)}


def held_change(held: HeldChange) -> dict[str, Any]:
    return {
        "held_change_id": held.held_change_id,
        "offer": text(held.offer),
        "source": held.source,
        "served": price_if(held, "served"),
        "held": price_if(held, "held"),
        "guard": held.guard,
        "explanation": held.explanation,
        "first_seen_time": moment(held, "first_seen_time"),
        "last_seen_time": moment(held, "last_seen_time"),
        "sighting_count": held.sighting_count,
        "state": label(HeldChangeState, held.state, "HELD_CHANGE_STATE_"),
        "reviewer": text(held.reviewer),
        "note": text(held.note),
        "review_time": moment(held, "review_time"),
    }


def snapshot(published: PriceSnapshot) -> dict[str, Any]:
    return {
        "version": published.version,
        "publish_time": moment(published, "publish_time"),
        "cause": published.cause,
        "note": text(published.note),
        "model_count": published.model_count,
        "added": published.added_count,
        "changed": published.changed_count,
        "removed": published.removed_count,
    }


def _change(change: PriceChange) -> dict[str, Any]:
    return {
        "offer": change.offer,
        "kind": label(PriceChangeKind, change.kind, "PRICE_CHANGE_KIND_"),
        "before": price_if(change, "before"),
        "after": price_if(change, "after"),
        "ratio": change.ratio or None,
        "effective_time": moment(change, "effective_time"),
        "observed_time": moment(change, "observed_time"),
        "snapshot_version": change.snapshot_version,
    }


def _disagreement(disagreement: PriceDisagreement) -> dict[str, Any]:
    return {
        "offer": disagreement.served.offer,
        "served": price(disagreement.served),
        "other": price(disagreement.other),
        "ratio": disagreement.ratio,
    }
