"""What other services last said, on disk: the router starts with it while they are away."""

import hashlib
from pathlib import Path

import structlog
from google.protobuf.message import DecodeError, Message

from steelyard_common.clock import Clock
from steelyard_common.errors import StorageFullError
from steelyard_common.feed import FeedCopy
from steelyard_common.last_good import LastGoodStore

_FOLDER = "router"

logger = structlog.get_logger(__name__)


class SnapshotFiles:
    """One protobuf message per name, whole or absent."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self._files = LastGoodStore(data_dir / _FOLDER)
        self._clock = clock

    async def load(self, name: str, message: Message) -> bool:
        """Fill `message` with what was kept; False when there is nothing that can be read."""
        copy = await self._files.load(name)
        if copy is None:
            return False
        try:
            message.ParseFromString(copy.body)
        except DecodeError:
            logger.warning("kept snapshot ignored", snapshot=name, problem="cannot be decoded")
            return False
        return True

    async def keep(self, name: str, body: bytes) -> None:
        """Replace what was kept; a full or failing disk costs the copy, not the service."""
        now = self._clock.now()
        copy = FeedCopy(
            url=f"snapshot:{name}",
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
            etag=None,
            last_modified=None,
            fetched_time=now,
            checked_time=now,
        )
        try:
            await self._files.commit(name, copy)
        except (StorageFullError, OSError) as error:
            logger.warning("snapshot not kept", snapshot=name, problem=type(error).__name__)
