"""Changes that are held back, and what people decide about them."""

from typing import Any, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidFieldError
from steelyard_common.page_tokens import from_text_page_token, to_page_token
from steelyard_common.tenant import current_actor
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.gate.held_change import HeldState
from steelyard_pricing.messages import requests
from steelyard_pricing.messages.history import to_held_change
from steelyard_pricing.messages.prices import PriceWriter
from steelyard_pricing.rpcs.archive import Archive
from steelyard_pricing.rpcs.history import read_note

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class QuarantineCalls:
    """Shows held changes and carries out reviews."""

    _catalogue: Catalogue
    _archive: Archive
    _clock: Clock

    async def ListQuarantined(
        self, request: pb.ListQuarantinedRequest, context: Context
    ) -> pb.ListQuarantinedResponse:
        size = requests.read_size(request.page_size, "page_size", default=requests.DEFAULT_PAGE)
        state = _state(request.state)
        question = f"quarantined {state.name}"
        after = from_text_page_token(request.page_token, question) if request.page_token else ""
        quarantine = self._archive.quarantine
        found = await quarantine.page(state, after=after, limit=size + 1)
        page = found[:size]
        token = to_page_token(question, page[-1].held_change_id) if len(found) > size else ""
        prices = self._prices()
        return pb.ListQuarantinedResponse(
            held_changes=[to_held_change(change, prices) for change in page],
            page_info=PageInfo(next_page_token=token, total_count=await quarantine.count(state)),
        )

    async def ReviewQuarantined(
        self, request: pb.ReviewQuarantinedRequest, context: Context
    ) -> pb.ReviewQuarantinedResponse:
        if request.review not in {pb.REVIEW_APPROVE, pb.REVIEW_REJECT}:
            raise InvalidFieldError("review", "must be APPROVE or REJECT")
        change = await self._archive.reviews.decide(
            requests.short(request.held_change_id, "held_change_id", requests.MAX_FILTER),
            release=request.review == pb.REVIEW_APPROVE,
            reviewer=current_actor(),
            note=read_note(request.note),
        )
        return pb.ReviewQuarantinedResponse(held_change=to_held_change(change, self._prices()))

    def _prices(self) -> PriceWriter:
        return PriceWriter(self._catalogue, self._catalogue.snapshot, self._clock.now())


def _state(state: int) -> HeldState:
    try:
        return HeldState(state) if state else HeldState.HELD
    except ValueError:
        raise InvalidFieldError("state", "is not known") from None
