"""RPCs about the keys of providers."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import grpc

from steelyard.router.v1 import key_service_pb2 as pb
from steelyard.router.v1 import key_service_pb2_grpc
from steelyard_common.tenant import current_tenant
from steelyard_router.domain.key_source import KeySource

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class KeySources(Protocol):
    """Knows whose keys there are."""

    def sources(self, tenant_id: str) -> Mapping[str, KeySource]:
        """Return whose key it would be, by provider, where there is one or none is needed."""


class KeyServicer(key_service_pb2_grpc.KeyServiceServicer):
    """Tells whose keys are used; nothing about the keys leaves it."""

    def __init__(self, keys: KeySources) -> None:
        self._keys = keys

    async def ListProviderAccess(
        self, request: pb.ListProviderAccessRequest, context: Context
    ) -> pb.ListProviderAccessResponse:
        sources = self._keys.sources(current_tenant().tenant_id)
        return pb.ListProviderAccessResponse(
            providers=[
                pb.ProviderAccess(provider=provider, key_source=pb.KeySource.ValueType(source))
                for provider, source in sorted(sources.items())
            ]
        )
