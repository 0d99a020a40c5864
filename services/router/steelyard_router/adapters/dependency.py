"""Whether another service answers, told in the log once when that changes."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import grpc
import structlog

T = TypeVar("T")

logger = structlog.get_logger(__name__)


class Dependency:
    """What is known of one service from the calls that it answered or not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._is_answering: bool | None = None

    def answered(self) -> None:
        if self._is_answering is not True:
            logger.info("dependency answers", dependency=self.name)
            self._is_answering = True

    def failed(self, error: grpc.aio.AioRpcError) -> None:
        if self._is_answering is not False:
            logger.warning(
                "dependency does not answer, last known data is used",
                dependency=self.name,
                code=error.code().name,
            )
            self._is_answering = False


class GrpcAsk(Generic[T]):
    """A unary call that is on its way; no answer in time is None, not an error."""

    def __init__(self, dependency: Dependency, call: Any, read: Callable[[Any], T]) -> None:
        """Take a call that has been started, and what turns its response into domain values."""
        self._dependency = dependency
        self._call = call
        self._read = read

    async def answer(self) -> T | None:
        try:
            response = await self._call
        except grpc.aio.AioRpcError as error:
            self._dependency.failed(error)
            return None
        except asyncio.CancelledError:
            self.cancel()
            raise
        self._dependency.answered()
        return self._read(response)

    def cancel(self) -> None:
        self._call.cancel()
