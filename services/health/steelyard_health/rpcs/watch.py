"""Changes of states and circuits as a stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any, TypeAlias

import grpc

from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.errors import HealthUnavailableError, InvalidFieldError
from steelyard_common.tenant import current_tenant
from steelyard_health.domain.change_log import ChangeLog
from steelyard_health.messages.changes import to_told

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

RETRY_DELAY = timedelta(seconds=1)


class WatchCalls:
    """Sends what is so, and each change as it happens."""

    _changes: ChangeLog
    _draining: asyncio.Event
    """When set, streams end."""

    async def WatchHealth(
        self, request: pb.WatchHealthRequest, context: Context
    ) -> AsyncIterator[pb.WatchHealthResponse]:
        if request.from_version < 0:
            raise InvalidFieldError("from_version", "must not be negative")
        tenant_id = current_tenant().tenant_id
        following = self._changes.follow(request.from_version, tenant_id, self._draining)
        async with aclosing(following):
            async for told in following:
                yield to_told(told)
        # Another replica, or this process once it is back, goes on from the last version.
        raise HealthUnavailableError(RETRY_DELAY)
