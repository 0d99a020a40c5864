"""What publishing prices needs of the world."""

from collections.abc import Mapping
from typing import Protocol

from steelyard_pricing.domain.gate.held_change import HeldChange, Price
from steelyard_pricing.domain.publication import Commit, SnapshotRecord, Status, Stored
from steelyard_pricing.domain.snapshot import ObservedFact


class PriceStore(Protocol):
    """Keeps snapshots: each whole or not at all."""

    async def commit(self, commit: Commit) -> int:
        """Write everything in one transaction; return how many changes are held back then.

        Raises:
            SupersededError: Another snapshot was published meanwhile, or the lease is lost.
            StorageFullError: There is no room.
        """

    async def status(self) -> Status:
        """Return what is known besides the facts; cheap enough to be asked all the time."""

    async def load(self) -> Stored | None:
        """Return the snapshot that is served; None before the first."""

    async def load_version(self, version: int) -> Mapping[str, tuple[ObservedFact, ...]] | None:
        """Return the facts of an older snapshot by source; None when there never was one."""

    async def retired_facts(self, source: str) -> tuple[ObservedFact, ...]:
        """Return what was served last of a source that the settings have switched off since."""

    async def record(self, version: int) -> SnapshotRecord:
        """Return what is remembered of a published snapshot."""


class QuarantineStore(Protocol):
    """Reads what is held back and what is refused."""

    async def waiting(self, source: str) -> list[HeldChange]:
        """Return the changes of a source that nobody has decided about."""

    async def refused(self, source: str) -> Mapping[str, set[Price]]:
        """Return prices of a source that are not taken over, by offer."""

    async def is_refused(self, source: str, body_sha256: str) -> bool:
        """Say whether a person has refused this very body."""

    async def get(self, held_change_id: str) -> HeldChange | None:
        """Return a held change, None when there is none."""

    async def body(self, held_change_id: str) -> bytes | None:
        """Return the body that a change holds, None when it holds none."""
