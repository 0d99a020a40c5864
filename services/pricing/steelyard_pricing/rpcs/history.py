"""What prices were: the change feed, snapshots, and what past usage costs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.common.v1 import cost_pb2
from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.pricing.v1 import price_change_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidFieldError
from steelyard_common.page_tokens import (
    bad_page_token,
    from_text_page_token,
    from_whole_page_token,
    to_page_token,
)
from steelyard_common.tenant import current_actor
from steelyard_pricing.adapters.history_store import ChangeQuery, Position
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.changes import ChangeKind, PriceChange
from steelyard_pricing.domain.comparison import CURATED
from steelyard_pricing.domain.components import CostPart
from steelyard_pricing.domain.history import charged_at
from steelyard_pricing.domain.quote import MAX_PICODOLLARS, Parts, UsageLines, cost_parts
from steelyard_pricing.domain.rate_card import CardCompiler
from steelyard_pricing.domain.snapshot import Snapshot
from steelyard_pricing.domain.week import minute_of_week
from steelyard_pricing.messages import requests
from steelyard_pricing.messages.costs import write_cost
from steelyard_pricing.messages.history import to_change, to_snapshot
from steelyard_pricing.messages.prices import PriceWriter
from steelyard_pricing.messages.usages import from_usage
from steelyard_pricing.rpcs.archive import Archive

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

WATCH_BATCH = 1000
"""Changes in one message: at most half a megabyte."""
MAX_PAST_USAGE = 10_000
MAX_NOTE = 1000
MAX_DIGITS = 18
"""Of a version in a page token."""
MAX_RATIO = 1e9


class HistoryCalls:
    """Answers from the history, which is never rewritten."""

    _catalogue: Catalogue
    _archive: Archive
    _clock: Clock

    async def ListPriceChanges(
        self, request: pb.ListPriceChangesRequest, context: Context
    ) -> pb.ListPriceChangesResponse:
        size = requests.read_size(request.page_size, "page_size", default=requests.DEFAULT_PAGE)
        query = await self._change_query(request)
        question = f"changes {query}"
        after = _position(request.page_token, question) if request.page_token else None
        history = self._archive.history
        found = await history.page(query, after=after, limit=size + 1)
        page = found[:size]
        token = ""
        if len(found) > size:
            token = to_page_token(question, f"{page[-1].version} {page[-1].offer}")
        prices = self._price_writer()
        return pb.ListPriceChangesResponse(
            changes=[to_change(change, prices) for change in page],
            page_info=PageInfo(next_page_token=token, total_count=await history.count(query)),
        )

    async def WatchPrices(
        self, request: pb.WatchPricesRequest, context: Context
    ) -> AsyncIterator[pb.WatchPricesResponse]:
        version = request.from_version
        snapshot = self._catalogue.snapshot
        if not 0 <= version <= snapshot.version:
            raise InvalidFieldError("from_version", f"must be from 0 to {snapshot.version}")
        if not version:
            present = await asyncio.to_thread(_as_added, snapshot)
            async for message in self._batches(present, 0, snapshot.version):
                yield message
            version = snapshot.version
        while True:
            changed = self._catalogue.changed
            while version < self._catalogue.snapshot.version:
                async for message in self._news(version + 1):
                    yield message
                version += 1
            await changed.wait()

    async def ListSnapshots(
        self, request: pb.ListSnapshotsRequest, context: Context
    ) -> pb.ListSnapshotsResponse:
        size = requests.read_size(request.page_size, "page_size", default=requests.DEFAULT_PAGE)
        question = "snapshots"
        before = from_whole_page_token(request.page_token, question) if request.page_token else None
        found = await self._archive.store.snapshots(before=before, limit=size + 1)
        page = found[:size]
        token = to_page_token(question, page[-1].version) if len(found) > size else ""
        return pb.ListSnapshotsResponse(
            snapshots=map(to_snapshot, page),
            page_info=PageInfo(next_page_token=token, total_count=self._catalogue.snapshot.version),
        )

    async def RollbackPrices(
        self, request: pb.RollbackPricesRequest, context: Context
    ) -> pb.RollbackPricesResponse:
        if request.version < 1:
            raise InvalidFieldError("version", "must be at least 1")
        record = await self._archive.reviews.roll_back(
            request.version, reviewer=current_actor(), note=read_note(request.note)
        )
        return pb.RollbackPricesResponse(snapshot=to_snapshot(record))

    async def Reprice(self, request: pb.RepriceRequest, context: Context) -> pb.RepriceResponse:
        if not 1 <= len(request.usage) <= MAX_PAST_USAGE:
            raise InvalidFieldError("usage", f"must have 1 to {MAX_PAST_USAGE:,} entries")
        names = [
            requests.short(used.offer, f"usage[{position}].offer", requests.MAX_NAME)
            for position, used in enumerate(request.usage)
        ]
        offers = await self._offers(names)
        known_at = _time(request, "as_known_at_time")
        history = await self._archive.history.of_offers(offers, known_at)
        return await asyncio.to_thread(_repriced, request, offers, history)

    async def _change_query(self, request: pb.ListPriceChangesRequest) -> ChangeQuery:
        if not request.min_ratio >= 0 or request.min_ratio > MAX_RATIO:
            raise InvalidFieldError("min_ratio", "must be a factor such as 1.1, or 0")
        ratio = request.min_ratio
        name = requests.short(request.offer, "offer", requests.MAX_NAME)
        (offer,) = await self._offers([name]) if name else ("",)
        return ChangeQuery(
            since=_time(request, "since_time"),
            offer=offer,
            min_ratio=1 / ratio if 0 < ratio < 1 else ratio,
        )

    async def _offers(self, names: Sequence[str]) -> list[str]:
        """Return ids of offers; one that is gone keeps its id, whatever that would mean today."""
        snapshot = self._catalogue.snapshot
        known = await self._archive.history.known(names)
        return [name if name in known else _resolved(snapshot, name) for name in names]

    def _price_writer(self) -> PriceWriter:
        return PriceWriter(self._catalogue, self._catalogue.snapshot, self._clock.now())

    async def _news(self, version: int) -> AsyncIterator[pb.WatchPricesResponse]:
        """Return what one version brought, in parts."""
        prices, after = self._price_writer(), ""
        while True:
            found = await self._archive.history.of_version(
                version, after=after, limit=WATCH_BATCH + 1
            )
            part = found[:WATCH_BATCH]
            is_last = len(found) <= WATCH_BATCH
            written = await asyncio.to_thread(_written, part, prices)
            yield pb.WatchPricesResponse(
                changes=written, version=version if is_last else version - 1
            )
            if is_last:
                return
            after = part[-1].offer

    async def _batches(
        self, changes: Sequence[PriceChange], before: int, after: int
    ) -> AsyncIterator[pb.WatchPricesResponse]:
        """Return changes in parts; the version is reached with the last one."""
        prices = self._price_writer()
        for start in range(0, max(len(changes), 1), WATCH_BATCH):
            part = changes[start : start + WATCH_BATCH]
            is_last = start + WATCH_BATCH >= len(changes)
            written = await asyncio.to_thread(_written, part, prices)
            yield pb.WatchPricesResponse(changes=written, version=after if is_last else before)


def read_note(note: str) -> str:
    """Return what a person said about a decision."""
    return requests.short(note, "note", MAX_NOTE)


def _written(
    changes: Sequence[PriceChange], prices: PriceWriter
) -> list[price_change_pb2.PriceChange]:
    return [to_change(change, prices) for change in changes]


def _as_added(snapshot: Snapshot) -> list[PriceChange]:
    """Return every present price as if it had just come."""
    return [
        PriceChange(
            version=snapshot.version,
            offer=listing.offer,
            kind=ChangeKind.ADDED,
            before=None,
            after=listing.served,
            charged=None,
            effective_time=listing.served.applies_from,
            recorded_time=snapshot.published_time,
            ratio=0.0,
        )
        for listing in snapshot.listings.values()
    ]


def _position(token: str, question: str) -> Position:
    version, _, offer = from_text_page_token(token, question).partition(" ")
    if not version.isdecimal() or len(version) > MAX_DIGITS:
        raise bad_page_token()
    return int(version), offer


def _time(
    message: pb.ListPriceChangesRequest | pb.RepriceRequest | pb.PastUsage, field: str
) -> datetime | None:
    if not message.HasField(field):  # type: ignore[arg-type]
        return None
    time: Timestamp = getattr(message, field)
    try:
        return time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidFieldError(field, "is out of range") from None


def _resolved(snapshot: Snapshot, name: str) -> str:
    listing = snapshot.find(name)
    return listing.offer if listing else name


def _repriced(
    request: pb.RepriceRequest, offers: Sequence[str], history: dict[str, list[PriceChange]]
) -> pb.RepriceResponse:
    response, compiler = pb.RepriceResponse(), CardCompiler()
    effective_at = _time(request, "as_effective_at_time")
    total = [0] * len(CostPart)
    for position, (used, offer) in enumerate(zip(request.usage, offers, strict=True)):
        path = f"usage[{position}]"
        counts = from_usage(used.usage, f"{path}.usage")
        time = effective_at or _time(used, "use_time")
        if time is None:
            raise InvalidFieldError(f"{path}.use_time", "is required")
        quote = response.quotes.add(offer=offer)
        changes = history.get(offer)
        if changes is None:
            quote.failure = pb.QUOTE_FAILURE_UNKNOWN_OFFER
            continue
        fact = charged_at(changes, time)
        parts = None
        if fact is not None and fact.is_priced:
            usage = UsageLines.of(counts)
            tier = requests.read_tier(used.service_tier)
            prices = compiler.compile(fact).prices(tier, partial(minute_of_week, time))
            index = prices.band_index(usage.prompt_tokens)
            parts = cost_parts(usage, prices.bands[index])
            quote.service_tier = prices.service_tier
            quote.above_prompt_token_count = prices.above(index)
        if parts is None:
            quote.failure = pb.QUOTE_FAILURE_UNPRICED
            continue
        write_cost(quote.cost, parts)
        quote.estimated = fact is not None and fact.source == CURATED
        total = [one + other for one, other in zip(total, parts, strict=True)]
    _write_total(response.total, total)
    return response


def _write_total(cost: cost_pb2.CostBreakdown, total: Parts) -> None:
    if total[CostPart.TOTAL] > MAX_PICODOLLARS:
        raise InvalidFieldError("usage", "comes to more than 9.2 million USD: ask in parts")
    write_cost(cost, total)
