"""Errors of a database that pass without anybody being at fault."""

import sqlalchemy.exc

from steelyard_common.errors import OverloadedError, StorageFullError

OUTAGES = (
    StorageFullError,
    OverloadedError,
    OSError,
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
)
"""It is full, locked or away."""
