"""Changes, snapshots, held changes, deprecations and disagreements."""

from math import isfinite
from typing import cast

from steelyard.pricing.v1 import price_change_pb2, price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.message_times import to_timestamp
from steelyard_pricing.domain.changes import PriceChange
from steelyard_pricing.domain.deprecation import Deprecation
from steelyard_pricing.domain.disagreement import Disagreement
from steelyard_pricing.domain.gate.held_change import HeldChange
from steelyard_pricing.domain.publication import SnapshotRecord
from steelyard_pricing.domain.snapshot import ObservedFact
from steelyard_pricing.messages.prices import PriceWriter

MAX_RATIO = 1e9
"""Stands for a price beside a zero."""


def to_change(change: PriceChange, prices: PriceWriter) -> price_change_pb2.PriceChange:
    """Return one entry of the change feed."""
    return price_change_pb2.PriceChange(
        offer=change.offer,
        kind=cast("price_change_pb2.PriceChangeKind.ValueType", change.kind),
        before=_price(change.before, prices),
        after=_price(change.after, prices),
        effective_time=to_timestamp(change.effective_time),
        observed_time=to_timestamp(change.recorded_time),
        ratio=change.ratio,
        snapshot_version=change.version,
    )


def to_snapshot(record: SnapshotRecord) -> pb.PriceSnapshot:
    """Return what is remembered of a snapshot."""
    counts = record.counts
    return pb.PriceSnapshot(
        version=record.version,
        publish_time=to_timestamp(record.published_time),
        cause=record.cause,
        note=record.note,
        model_count=counts.added + counts.changed + counts.unchanged,
        added_count=counts.added,
        changed_count=counts.changed,
        removed_count=counts.removed,
    )


def to_held_change(change: HeldChange, prices: PriceWriter) -> price_change_pb2.HeldChange:
    """Return a held change."""
    held = ObservedFact(change.held, change.first_seen_time) if change.held else None
    return price_change_pb2.HeldChange(
        held_change_id=change.held_change_id,
        offer=change.offer,
        source=change.source,
        served=_price(change.served, prices),
        held=_price(held, prices),
        guard=change.guard,
        explanation=change.explanation,
        first_seen_time=to_timestamp(change.first_seen_time),
        last_seen_time=to_timestamp(change.last_seen_time),
        sighting_count=change.sighting_count,
        state=cast("price_change_pb2.HeldChangeState.ValueType", change.state),
        reviewer=change.reviewer,
        note=change.note,
        review_time=to_timestamp(change.review_time),
    )


def to_deprecation(deprecation: Deprecation, prices: PriceWriter) -> pb.Deprecation:
    """Return an offer that ends."""
    replacement = deprecation.replacement
    return pb.Deprecation(
        price=prices.served(deprecation.listing),
        replacement=prices.served(replacement) if replacement else None,
        replacement_reason=deprecation.reason,
        cost_ratio=deprecation.cost_ratio,
    )


def to_disagreement(disagreement: Disagreement, prices: PriceWriter) -> pb.PriceDisagreement:
    """Return an offer on which two sources differ."""
    ratio = disagreement.ratio
    return pb.PriceDisagreement(
        served=prices.served(disagreement.listing),
        other=prices.fact(disagreement.other),
        ratio=ratio if isfinite(ratio) else MAX_RATIO,
    )


def _price(observed: ObservedFact | None, prices: PriceWriter) -> price_pb2.Price | None:
    return None if observed is None else prices.fact(observed)
