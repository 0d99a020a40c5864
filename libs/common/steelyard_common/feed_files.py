"""Feeds in local files, for installations without a network."""

import errno
import os
import stat
from pathlib import Path

from steelyard_common.feed import Feed, FeedCause, FeedError


def read_file_feed(feed: Feed, path: Path, known_etag: str | None) -> tuple[bytes, str] | None:
    """Return the body and a tag that changes with the file, None when the tag is known.

    Raises:
        FeedError: The file cannot be read or is too large.
    """
    try:
        # O_NONBLOCK: a named pipe would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise FeedError(FeedCause.URL, f"the file of {feed.name} is not a regular file")
            tag = f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
            if tag == known_etag:
                return None
            body = file.read(feed.max_bytes + 1)
    except OSError as error:
        what = "is missing" if error.errno == errno.ENOENT else "cannot be read"
        raise FeedError(FeedCause.CONNECTION, f"the file of {feed.name} {what}") from None
    if len(body) > feed.max_bytes:
        raise FeedError(FeedCause.TOO_LARGE, f"{feed.name} is larger than {feed.max_bytes} bytes")
    return body, tag
