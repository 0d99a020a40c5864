"""At most one supervisor a data directory; the kernel frees the lock of a dead one."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

LOCK_FILE = "up.lock"


class AlreadyRunningError(Exception):
    """Another supervisor has the data directory."""


class SingleRun:
    """Holds the lock while it is entered."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._descriptor = -1

    def __enter__(self) -> None:
        """Take the lock.

        Raises:
            AlreadyRunningError: Another process has it.
            OSError: The data directory cannot be written.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True)
        # Not inherited by children: a lock must not outlive its supervisor.
        path = self._data_dir / LOCK_FILE
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 20).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise AlreadyRunningError(
                f"`steelyard up` runs already with {self._data_dir} (process {holder}); "
                "stop it first, or give another --data-dir and other addresses"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
