"""What stands out in the present prices: disagreements of sources, and offers that end."""

import asyncio
from datetime import date
from typing import Any, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidFieldError
from steelyard_common.page_tokens import from_whole_page_token, to_page_token
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.deprecation import deprecations
from steelyard_pricing.domain.disagreement import disagreements
from steelyard_pricing.messages import requests
from steelyard_pricing.messages.history import to_deprecation, to_disagreement
from steelyard_pricing.messages.prices import PriceWriter

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class FindingCalls:
    """Looks through the whole snapshot, in a thread."""

    _catalogue: Catalogue
    _clock: Clock

    async def ListDisagreements(
        self, request: pb.ListDisagreementsRequest, context: Context
    ) -> pb.ListDisagreementsResponse:
        return await asyncio.to_thread(self._disagreements, request)

    async def ListDeprecations(
        self, request: pb.ListDeprecationsRequest, context: Context
    ) -> pb.ListDeprecationsResponse:
        return await asyncio.to_thread(self._deprecations, request)

    def _disagreements(self, request: pb.ListDisagreementsRequest) -> pb.ListDisagreementsResponse:
        snapshot = self._catalogue.snapshot
        start, size = _range(request, f"disagreements {snapshot.version}")
        found = disagreements(snapshot)
        prices = PriceWriter(self._catalogue, snapshot, self._clock.now())
        return pb.ListDisagreementsResponse(
            disagreements=[to_disagreement(each, prices) for each in found[start : start + size]],
            page_info=_page_info(f"disagreements {snapshot.version}", start + size, len(found)),
        )

    def _deprecations(self, request: pb.ListDeprecationsRequest) -> pb.ListDeprecationsResponse:
        snapshot, now = self._catalogue.snapshot, self._clock.now()
        provider = requests.short(request.provider, "provider", requests.MAX_FILTER)
        until = _date(request)
        question = f"deprecations {snapshot.version} {provider} {until} {request.include_past}"
        start, size = _range(request, question)
        found = deprecations(
            snapshot, now.date(), provider=provider, until=until, include_past=request.include_past
        )
        prices = PriceWriter(self._catalogue, snapshot, now)
        return pb.ListDeprecationsResponse(
            deprecations=[to_deprecation(each, prices) for each in found[start : start + size]],
            page_info=_page_info(question, start + size, len(found)),
        )


def _range(
    request: pb.ListDisagreementsRequest | pb.ListDeprecationsRequest, question: str
) -> tuple[int, int]:
    size = requests.read_size(request.page_size, "page_size", default=requests.DEFAULT_PAGE)
    start = from_whole_page_token(request.page_token, question) if request.page_token else 0
    return max(start, 0), size


def _page_info(question: str, end: int, total: int) -> PageInfo:
    token = to_page_token(question, end) if end < total else ""
    return PageInfo(next_page_token=token, total_count=total)


def _date(request: pb.ListDeprecationsRequest) -> date | None:
    if not request.HasField("until_date"):
        return None
    day = request.until_date
    try:
        return date(day.year, day.month, day.day)
    except (ValueError, OverflowError):
        raise InvalidFieldError("until_date", "is not a day") from None
