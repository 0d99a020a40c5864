"""The last good copy of each feed on disk: whole or absent, whatever happens in between.

A copy is two files. The body is named by its hash and written first; renaming the sidecar over
the old one is the commit. A kill at any point leaves the old pair or the new one.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from steelyard_common.errors import StorageFullError
from steelyard_common.feed import FeedCopy

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)

logger = structlog.get_logger(__name__)


class _Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    sha256: str
    length: int
    etag: str | None
    last_modified: str | None
    fetched_time: datetime
    checked_time: datetime


class LastGoodStore:
    """Keeps one copy per feed in a directory of its own.

    Commit only what was parsed and found good.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def load(self, name: str) -> FeedCopy | None:
        """Return the copy; None, with a log line, when there is none or it is damaged."""
        return await asyncio.to_thread(self._load, name)

    async def commit(self, name: str, copy: FeedCopy) -> None:
        """Replace the copy.

        Raises:
            StorageFullError: There is no room; the old copy stays.
            OSError: Anything else that disks do; the old copy stays.
        """
        await asyncio.to_thread(self._commit, name, copy)

    async def confirm(self, name: str, copy: FeedCopy, checked_time: datetime) -> FeedCopy:
        """Note that the publisher says the copy is current; return it with the new time."""
        confirmed = replace(copy, checked_time=checked_time)
        await self.commit(name, confirmed)
        return confirmed

    def _load(self, name: str) -> FeedCopy | None:
        sidecar_path = self._sidecar_path(name)
        try:
            while True:
                written = sidecar_path.read_bytes()
                try:
                    return self._read(name, msgspec.json.decode(written, type=_Sidecar))
                except FileNotFoundError:
                    # A commit in between has taken the body away: look again. Else it is lost.
                    if sidecar_path.read_bytes() == written:
                        raise ValueError("the body is missing") from None
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:  # msgspec's errors are ValueErrors
            logger.warning("last good copy ignored", feed=name, problem=str(error))
            return None

    def _read(self, name: str, sidecar: _Sidecar) -> FeedCopy:
        body = self._body_path(name, sidecar.sha256).read_bytes()
        if len(body) != sidecar.length or hashlib.sha256(body).hexdigest() != sidecar.sha256:
            raise ValueError("the body does not match its hash")
        return FeedCopy(
            url=sidecar.url,
            body=body,
            sha256=sidecar.sha256,
            etag=sidecar.etag,
            last_modified=sidecar.last_modified,
            fetched_time=sidecar.fetched_time,
            checked_time=sidecar.checked_time,
        )

    def _commit(self, name: str, copy: FeedCopy) -> None:
        sidecar = _Sidecar(
            url=copy.url,
            sha256=copy.sha256,
            length=len(copy.body),
            etag=copy.etag,
            last_modified=copy.last_modified,
            fetched_time=copy.fetched_time,
            checked_time=copy.checked_time,
        )
        body_path, sidecar_path = self._body_path(name, copy.sha256), self._sidecar_path(name)
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._locked(name):
                _write_atomically(body_path, copy.body)
                _write_atomically(sidecar_path, msgspec.json.encode(sidecar))
                self._remove_others(name, keep=body_path)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFullError from error
            raise

    def _sidecar_path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for a file")
        return self._directory / f"{name}.json"

    def _body_path(self, name: str, sha256: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise ValueError("a sidecar names no hash")
        return self._directory / f"{name}.{sha256[:32]}.body"

    def _remove_others(self, name: str, *, keep: Path) -> None:
        for path in [*self._directory.glob(f"{name}.*.body"), *self._directory.glob(f".{name}.*~")]:
            if path != keep:
                path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Let one process and thread at a time commit: two would remove each other's bodies."""
        with (self._directory / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _write_atomically(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name.partition('.')[0]}.", suffix="~"
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
