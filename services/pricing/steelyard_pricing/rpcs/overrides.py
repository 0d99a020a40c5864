"""Prices that tenants have agreed with sellers."""

from dataclasses import replace
from typing import Any, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import ResourceNotFoundError
from steelyard_common.ids import new_id
from steelyard_common.page_tokens import from_whole_page_token, to_page_token
from steelyard_common.tenant import current_tenant
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.margin_watch import MarginWatch
from steelyard_pricing.domain.negotiations import Negotiations
from steelyard_pricing.domain.overrides import PriceOverride
from steelyard_pricing.messages.overrides import from_override, read_override_id, to_override
from steelyard_pricing.messages.requests import DEFAULT_PAGE, read_size
from steelyard_pricing.rpcs.names import known_provider, offer_named

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_RESOURCE = "override"


class OverrideCalls:
    """Sets, lists and ends overrides of the tenant that calls, and of no other."""

    _catalogue: Catalogue
    _negotiations: Negotiations
    _margins: MarginWatch
    _clock: Clock

    async def SetOverride(
        self, request: pb.SetOverrideRequest, context: Context
    ) -> pb.SetOverrideResponse:
        now = self._clock.now()
        override = self._resolved(from_override(request.override, current_tenant().tenant_id, now))
        is_new = not override.override_id
        if is_new:
            override = replace(override, override_id=new_id("ovr", clock=self._clock))
        kept = await self._negotiations.set_override(override, now, is_new=is_new)
        if kept is None:
            raise ResourceNotFoundError(_RESOURCE, override.override_id)
        await self._margins.changed(now)
        return pb.SetOverrideResponse(override=to_override(kept))

    async def ListOverrides(
        self, request: pb.ListOverridesRequest, context: Context
    ) -> pb.ListOverridesResponse:
        size = read_size(request.page_size, "page_size", default=DEFAULT_PAGE)
        question = f"overrides expired={request.include_expired}"
        now = self._clock.now()
        found = [
            override
            for override in self._negotiations.overrides(current_tenant().tenant_id)
            if request.include_expired or not override.has_ended(now)
        ]
        left = found
        if request.page_token:
            after = from_whole_page_token(request.page_token, question)
            left = [override for override in found if override.sequence < after]
        page = left[:size]
        has_more = len(left) > size
        return pb.ListOverridesResponse(
            overrides=map(to_override, page),
            page_info=PageInfo(
                next_page_token=to_page_token(question, page[-1].sequence) if has_more else "",
                total_count=len(found),
            ),
        )

    async def DeleteOverride(
        self, request: pb.DeleteOverrideRequest, context: Context
    ) -> pb.DeleteOverrideResponse:
        override_id = read_override_id(request.override_id)
        tenant_id, now = current_tenant().tenant_id, self._clock.now()
        if not await self._negotiations.end_override(tenant_id, override_id, now):
            raise ResourceNotFoundError(_RESOURCE, override_id)
        await self._margins.changed(now)
        return pb.DeleteOverrideResponse()

    def _resolved(self, override: PriceOverride) -> PriceOverride:
        snapshot = self._catalogue.snapshot
        if override.offer:
            return replace(override, offer=offer_named(snapshot, override.offer))
        return replace(override, provider=known_provider(snapshot, override.provider))
