"""The catalogue as a stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.messages.answers import ModelMessages
from steelyard_registry.messages.parts import to_parts

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class FollowCalls:
    """Sends the catalogue, and each change as it happens."""

    _live: LiveCatalogue
    _draining: asyncio.Event
    _messages: ModelMessages

    async def WatchCatalog(
        self, request: pb.WatchCatalogRequest, context: Context
    ) -> AsyncIterator[pb.WatchCatalogResponse]:
        updates = self._live.updates(request.from_version, self._draining)
        async with aclosing(updates):
            async for update in updates:
                for part in to_parts(update, self._messages):
                    yield part
