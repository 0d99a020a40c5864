"""The id under which one request is found in every log, error and decision."""

import re
from contextvars import ContextVar

from steelyard_common.ids import new_id

HEADER = "x-request-id"
# What other systems use as ids (UUIDs, ULIDs, trace ids), and nothing that could forge a log line.
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,127}", re.ASCII)

_current: ContextVar[str | None] = ContextVar("steelyard_request_id", default=None)


def accept_or_mint(candidate: str | None) -> str:
    """Return the caller's id when it is a sane token, else a new one."""
    if candidate is not None and _SANE.fullmatch(candidate):
        return candidate
    return new_id("req")


def current_request_id() -> str | None:
    """Return the id of the request being handled, None outside of one."""
    return _current.get()


def set_current_request_id(request_id: str) -> None:
    """Make `request_id` current for the rest of this task."""
    _current.set(request_id)
