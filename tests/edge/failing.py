"""What every fake can do: remember what it was asked, fail on demand, and cut lists into pages."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard_common.errors import InvalidFieldError
from steelyard_common.request_id import current_request_id

T = TypeVar("T")


class Failing:
    """Raises what the test put in place, and waits where the test says so."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.error: Exception | None = None
        self.hold: asyncio.Event | None = None
        self.requests: list[Any] = []
        self.request_ids: list[str | None] = []
        self._arrived = asyncio.Event()
        self.metadata: list[dict[str, str | bytes]] = []

    async def asked(self, request: Any, context: Any) -> None:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata() or ()))
        self.request_ids.append(current_request_id())
        self._arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error

    async def wait_for_requests(self, count: int) -> None:
        """Return once so many requests have come in."""
        while len(self.requests) < count:
            self._arrived.clear()
            await self._arrived.wait()

    @property
    def last_request(self) -> Any:
        return self.requests[-1]


def paged(items: Sequence[T], request: Any) -> tuple[Sequence[T], PageInfo]:
    """Return the page of `items` that a request asks for."""
    token = request.page_token or "after-0"
    if not token.startswith("after-"):
        raise InvalidFieldError("page_token", "is not one of ours")
    start = int(token.removeprefix("after-"))
    end = start + (request.page_size or 50)
    next_token = f"after-{end}" if end < len(items) else ""
    return items[start:end], PageInfo(next_page_token=next_token, total_count=len(items))
