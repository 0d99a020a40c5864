"""The registry's providers, asked for again and again."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import grpc
import structlog

from steelyard.registry.v1 import model_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_common.clock import Clock
from steelyard_health.domain.provider import Provider

REFRESH_SECONDS = 600.0
FIRST_REFRESH_SECONDS = 5.0
"""Until the registry has answered once."""
TIMEOUT_SECONDS = 5.0

_WIRE_FORMATS: Final[Mapping[int, str]] = {
    model_pb2.WIRE_FORMAT_OPENAI: "openai",
    model_pb2.WIRE_FORMAT_ANTHROPIC: "anthropic",
    model_pb2.WIRE_FORMAT_GEMINI: "gemini",
}
_AUTH_STYLES: Final[Mapping[int, str]] = {
    model_pb2.AUTH_STYLE_BEARER: "bearer",
    model_pb2.AUTH_STYLE_X_API_KEY: "x-api-key",
    model_pb2.AUTH_STYLE_X_GOOG_API_KEY: "x-goog-api-key",
    model_pb2.AUTH_STYLE_NONE: "none",
}

logger = structlog.get_logger(__name__)


class ProviderDirectory:
    """Knows the sellers that the registry knew last; an answer that does not come is no error."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._stub = pb_grpc.RegistryServiceStub(channel)
        self._clock = clock
        self._providers: Mapping[str, Provider] = MappingProxyType({})
        self._has_answer = False
        self._is_silent = False

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Sellers by id; empty until the first answer, and replaced whole when they change."""
        return self._providers

    async def run(self) -> None:
        """Go on as long as the process."""
        while True:
            await self.refresh()
            await self._clock.sleep(REFRESH_SECONDS if self._has_answer else FIRST_REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Ask once; what was known stays when there is no answer."""
        try:
            answer = await self._stub.ListProviders(
                pb.ListProvidersRequest(), timeout=TIMEOUT_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            if not self._is_silent:
                logger.warning("the registry did not name providers", code=error.code().name)
            self._is_silent = True
            return
        self._is_silent = False
        self._has_answer = True
        providers = {each.provider: _provider(each) for each in answer.providers}
        if providers != self._providers:
            self._providers = MappingProxyType(providers)


def _provider(message: model_pb2.Provider) -> Provider:
    return Provider(
        provider=message.provider,
        display_name=message.display_name,
        base_url=message.base_url,
        wire_format=_WIRE_FORMATS.get(message.wire_format, ""),
        auth_style=_AUTH_STYLES.get(message.auth_style, ""),
        key_variables=tuple(message.key_variables),
        status_page_url=message.status_page_url,
        status_api_url=message.status_api_url,
        status_format=message.status_format,
    )
