"""Ends a child whose parent is gone, however it went: also when it was killed outright."""

import os
import signal
import threading
import time

POLL_SECONDS = 0.25
GRACE_SECONDS = 2.0
EXIT_ORPHANED = 1


def watch_parent(parent_pid: int) -> None:
    """Stop this process once `parent_pid` is no longer its parent: politely, then at once.

    A thread looks, not the event loop, so that a blocked loop does not keep an orphan alive.
    """
    threading.Thread(target=_watch, args=(parent_pid,), name="parent-watch", daemon=True).start()


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(EXIT_ORPHANED)
