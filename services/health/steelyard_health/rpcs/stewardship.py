"""What people do by hand, and the record of it."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidFieldError
from steelyard_common.message_times import to_timestamp
from steelyard_common.tenant import current_actor
from steelyard_health.adapters.maintenance_book import REFRESH_SECONDS, MaintenanceBook
from steelyard_health.adapters.steward_store import Deed, StewardStore, TooManyWindowsError
from steelyard_health.domain.maintenance import MAX_WINDOWS, Maintenance
from steelyard_health.messages.pages import from_page_size, from_provider_filter
from steelyard_health.messages.stewardship import (
    AskedWindow,
    Target,
    from_action_token,
    from_maintenance,
    from_reset_request,
    to_action,
    to_action_token,
    to_maintenance,
)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Resets(Protocol):
    """What can be made to forget."""

    async def reset(self, name: str) -> None:
        """Forget the windows and close the circuits of an offer, or of a provider and its offers.

        Returns when later answers of this process show it.
        """


class StewardCalls(ABC):
    """Carries out decisions and shows them."""

    _steward: StewardStore
    _maintenance: MaintenanceBook
    _resets: Resets
    _clock: Clock

    @abstractmethod
    async def _provider_message(self, provider: str) -> health_pb2.ProviderHealth:
        """Return the health of a provider as the caller sees it."""

    async def ResetProvider(
        self, request: pb.ResetProviderRequest, context: Context
    ) -> pb.ResetProviderResponse:
        target = from_reset_request(request)
        # Recorded first: nothing is done that is not in the record.
        await self._steward.record_reset(_deed(target))
        await self._resets.reset(target.name)
        return pb.ResetProviderResponse(provider=await self._provider_message(target.provider))

    async def SetMaintenance(
        self, request: pb.SetMaintenanceRequest, context: Context
    ) -> pb.SetMaintenanceResponse:
        now = self._clock.now()
        asked = from_maintenance(request.maintenance, now)
        if asked.end_time <= now:
            window = await self._steward.cancel(_deed(asked.target), asked.end_time)
        else:
            window = await self._planned(asked, now)
        await self._maintenance.refresh()
        # This process takes it into account at once, others when they read the plan again.
        everywhere = now + timedelta(seconds=REFRESH_SECONDS)
        return pb.SetMaintenanceResponse(
            maintenance=to_maintenance(window),
            apply_time=to_timestamp(max(everywhere, window.start_time)),
        )

    async def ListMaintenance(
        self, request: pb.ListMaintenanceRequest, context: Context
    ) -> pb.ListMaintenanceResponse:
        provider = from_provider_filter(request.provider)
        windows = await self._steward.windows()
        return pb.ListMaintenanceResponse(
            maintenance=[
                to_maintenance(each) for each in windows if provider in {"", each.provider}
            ]
        )

    async def ListHealthActions(
        self, request: pb.ListHealthActionsRequest, context: Context
    ) -> pb.ListHealthActionsResponse:
        size = from_page_size(request.page_size)
        provider = from_provider_filter(request.provider)
        before = from_action_token(request.page_token, provider)
        found = await self._steward.actions(provider, before=before, limit=size + 1)
        page = found[:size]
        token = to_action_token(provider, page[-1]) if len(found) > size else ""
        total = await self._steward.action_count(provider)
        return pb.ListHealthActionsResponse(
            actions=map(to_action, page),
            page_info=PageInfo(next_page_token=token, total_count=total),
        )

    async def _planned(self, asked: AskedWindow, now: datetime) -> Maintenance:
        deed = _deed(asked.target)
        window = Maintenance(
            provider=deed.provider,
            offer=deed.offer,
            start_time=now if asked.start_time is None else asked.start_time,
            end_time=asked.end_time,
            note=deed.note,
            actor=deed.actor,
        )
        try:
            await self._steward.plan(window)
        except TooManyWindowsError:
            raise InvalidFieldError(
                "maintenance", f"is one too many: {MAX_WINDOWS} are planned already"
            ) from None
        return window


def _deed(target: Target) -> Deed:
    return Deed(
        provider=target.provider, offer=target.offer, actor=current_actor(), note=target.note
    )
