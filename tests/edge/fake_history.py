"""The part of the fake pricing service that remembers what prices were."""

from typing import Any

from steelyard.common.v1.cost_pb2 import CostBreakdown
from steelyard.pricing.v1 import price_change_pb2 as change_pb
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.errors import InvalidStateError, ResourceNotFoundError
from tests.edge.failing import Failing, paged

REVIEWED = {
    pb.REVIEW_APPROVE: change_pb.HELD_CHANGE_STATE_RELEASED,
    pb.REVIEW_REJECT: change_pb.HELD_CHANGE_STATE_REFUSED,
}
REPRICED_PICODOLLARS = 2_500_000


class FakeHistory(Failing):
    """Changes, held changes and snapshots; what is reviewed or rolled back stays so."""

    def reset(self) -> None:
        super().reset()
        self.changes: list[change_pb.PriceChange] = []
        self.disagreements: list[pb.PriceDisagreement] = []
        self.deprecations: list[pb.Deprecation] = []
        self.held_changes: list[change_pb.HeldChange] = []
        self.snapshots = [pb.PriceSnapshot(version=1, cause="seed", model_count=4000)]

    async def ListPriceChanges(
        self, request: pb.ListPriceChangesRequest, context: Any
    ) -> pb.ListPriceChangesResponse:
        await self.asked(request, context)
        since = request.since_time.ToNanoseconds()
        matching = [
            each
            for each in self.changes
            if each.observed_time.ToNanoseconds() >= since
            and request.offer in {"", each.offer}
            and max(each.ratio, 1 / (each.ratio or 1)) >= request.min_ratio
        ]
        changes, page_info = paged(matching, request)
        return pb.ListPriceChangesResponse(changes=changes, page_info=page_info)

    async def ListDisagreements(
        self, request: pb.ListDisagreementsRequest, context: Any
    ) -> pb.ListDisagreementsResponse:
        await self.asked(request, context)
        disagreements, page_info = paged(self.disagreements, request)
        return pb.ListDisagreementsResponse(disagreements=disagreements, page_info=page_info)

    async def ListDeprecations(
        self, request: pb.ListDeprecationsRequest, context: Any
    ) -> pb.ListDeprecationsResponse:
        await self.asked(request, context)
        matching = [
            each for each in self.deprecations if request.provider in {"", each.price.provider}
        ]
        deprecations, page_info = paged(matching, request)
        return pb.ListDeprecationsResponse(deprecations=deprecations, page_info=page_info)

    async def ListQuarantined(
        self, request: pb.ListQuarantinedRequest, context: Any
    ) -> pb.ListQuarantinedResponse:
        await self.asked(request, context)
        state = request.state or change_pb.HELD_CHANGE_STATE_HELD
        matching = [each for each in self.held_changes if each.state == state]
        held, page_info = paged(matching, request)
        return pb.ListQuarantinedResponse(held_changes=held, page_info=page_info)

    async def ReviewQuarantined(
        self, request: pb.ReviewQuarantinedRequest, context: Any
    ) -> pb.ReviewQuarantinedResponse:
        await self.asked(request, context)
        for held in self.held_changes:
            if held.held_change_id == request.held_change_id:
                break
        else:
            raise ResourceNotFoundError("held_change", request.held_change_id)
        if held.state != change_pb.HELD_CHANGE_STATE_HELD:
            raise InvalidStateError("held_change", held.held_change_id, "released")
        held.state = REVIEWED[request.review]
        held.note = request.note
        return pb.ReviewQuarantinedResponse(held_change=held)

    async def ListSnapshots(
        self, request: pb.ListSnapshotsRequest, context: Any
    ) -> pb.ListSnapshotsResponse:
        await self.asked(request, context)
        snapshots, page_info = paged(self.snapshots[::-1], request)
        return pb.ListSnapshotsResponse(snapshots=snapshots, page_info=page_info)

    async def RollbackPrices(
        self, request: pb.RollbackPricesRequest, context: Any
    ) -> pb.RollbackPricesResponse:
        await self.asked(request, context)
        versions = {each.version: each for each in self.snapshots}
        latest = self.snapshots[-1].version
        if request.version not in versions:
            raise ResourceNotFoundError("snapshot", str(request.version))
        if request.version == latest:
            raise InvalidStateError("snapshot", str(latest), "served")
        rolled_back = pb.PriceSnapshot(
            version=latest + 1,
            cause="rollback",
            note=request.note,
            model_count=versions[request.version].model_count,
        )
        self.snapshots.append(rolled_back)
        return pb.RollbackPricesResponse(snapshot=rolled_back)

    async def Reprice(self, request: pb.RepriceRequest, context: Any) -> pb.RepriceResponse:
        await self.asked(request, context)
        answer = pb.RepriceResponse()
        for each in request.usage:
            quote = answer.quotes.add(offer=each.offer, service_tier=each.service_tier)
            if each.offer.startswith("unknown/"):
                quote.failure = pb.QUOTE_FAILURE_UNKNOWN_OFFER
                continue
            picodollars = each.usage.uncached_input_token_count * REPRICED_PICODOLLARS
            quote.cost.CopyFrom(
                CostBreakdown(total_picodollars=picodollars, input_picodollars=picodollars)
            )
            answer.total.total_picodollars += picodollars
            answer.total.input_picodollars += picodollars
        return answer
