"""The registry's catalogue as the router's own copy: followed, indexed, kept on disk."""

import asyncio
import math

import grpc
import structlog

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_common.clock import Clock
from steelyard_common.errors import RegistryUnavailableError
from steelyard_router.adapters.catalog_copy import CatalogCopy
from steelyard_router.adapters.dependency import Dependency
from steelyard_router.adapters.snapshot_files import SnapshotFiles
from steelyard_router.domain.catalog import Catalog

SNAPSHOT = "catalog"
STREAM_SECONDS = 540.0
"""A stream is opened anew before the server's own limit of ten minutes cuts it."""
GRACE_SECONDS = 2.0
"""Between two streams the catalogue is not called stale."""
FIRST_RETRY_SECONDS = 0.1
MAX_RETRY_SECONDS = 5.0
PAUSE_SECONDS = 0.001
"""Between two slices of a change: requests come first, the change takes three times as long."""

logger = structlog.get_logger(__name__)


class CatalogWatch:
    """Follows the registry; the catalogue is swapped whole when a change is complete."""

    def __init__(self, channel: grpc.aio.Channel, files: SnapshotFiles, clock: Clock) -> None:
        self._channel = channel
        self._stub = pb_grpc.RegistryServiceStub(channel)
        self._files = files
        self._clock = clock
        self._dependency = Dependency("registry")
        self._copy = CatalogCopy()
        self._catalog: Catalog | None = None
        self._is_following = False
        self._last_followed = -math.inf
        self._pending: CatalogCopy | None = None
        self._unsaved = asyncio.Event()

    def current(self) -> Catalog:
        if self._catalog is None:
            raise RegistryUnavailableError
        return self._catalog

    @property
    def is_known(self) -> bool:
        return self._catalog is not None

    @property
    def is_stale(self) -> bool:
        if self._catalog is None or self._catalog.is_stale:
            return True
        if self._is_following and self._is_connected:
            self._last_followed = self._clock.monotonic()
            return False
        return self._clock.monotonic() - self._last_followed > GRACE_SECONDS

    @property
    def _is_connected(self) -> bool:
        # A registry without news says nothing at all: only the connection tells that it is there.
        return self._channel.get_state() is grpc.ChannelConnectivity.READY

    async def load(self) -> None:
        """Start with the catalogue that was kept on disk."""
        kept = pb.WatchCatalogResponse()
        if self._catalog is None and await self._files.load(SNAPSHOT, kept):
            await self._take(kept)
            self._unsaved.clear()

    async def first(self, timeout_seconds: float) -> bool:
        """Read the catalogue before it is followed; False when it does not come in time."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    try:
                        return await self._read(timeout_seconds, only_first=True)
                    except grpc.aio.AioRpcError as error:
                        self._dependency.failed(error)
                        await self._clock.sleep(FIRST_RETRY_SECONDS)
        except TimeoutError:
            return False

    async def follow(self) -> None:
        """Take over changes for ever."""
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._read(STREAM_SECONDS, only_first=False)
                retry_seconds = FIRST_RETRY_SECONDS
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                    self._last_followed = self._clock.monotonic()
                    continue
                self._dependency.failed(error)
            await self._clock.sleep(retry_seconds)
            retry_seconds = min(retry_seconds * 2, MAX_RETRY_SECONDS)

    async def keep_saved(self) -> None:
        """Write the catalogue to disk whenever it changed."""
        while True:
            await self._unsaved.wait()
            self._unsaved.clear()
            await self.save()

    async def save(self) -> None:
        body = await asyncio.to_thread(self._copy.snapshot)
        await self._files.keep(SNAPSHOT, body)

    async def _take(self, part: pb.WatchCatalogResponse) -> None:
        """Take over one message; nothing of a change is seen before all of it is there."""
        if self._pending is None and self._copy.has(part):
            return
        if part.snapshot_start:
            self._pending = CatalogCopy()
        elif self._pending is None:
            self._pending = self._copy.clone()
        for _ in self._pending.take(part, self._copy):
            # A thread would be no gentler: it gives way to the loop only every five milliseconds.
            await asyncio.sleep(PAUSE_SECONDS if self.is_known else 0)
        if not part.snapshot_complete:
            return
        catalog = await self._indexed(self._pending)
        self._copy, self._pending = self._pending, None
        self._catalog = catalog
        self._unsaved.set()
        logger.info("catalogue", version=catalog.version, offers=len(catalog.offers))

    async def _indexed(self, copy: CatalogCopy) -> Catalog:
        if self._catalog is not None and copy.has_names_of(self._copy):
            return copy.renewed(self._catalog)
        return await asyncio.to_thread(copy.catalog)

    async def _read(self, timeout_seconds: float, *, only_first: bool) -> bool:
        """Read one stream; True when a whole catalogue is known at its end."""
        call = self._stub.WatchCatalog(
            pb.WatchCatalogRequest(from_version=self._copy.version), timeout=timeout_seconds
        )
        self._is_following = True
        try:
            async for part in call:
                self._dependency.answered()
                await self._take(part)
                self._last_followed = self._clock.monotonic()
                if only_first and part.snapshot_complete:
                    break
        finally:
            call.cancel()
            self._pending = None
            self._is_following = False
        return self._catalog is not None
