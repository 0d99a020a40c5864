"""Whose key a provider is called with."""

from enum import IntEnum


class KeySource(IntEnum):
    """Sources; numbers are those of the contract."""

    TENANT = 1
    PLATFORM = 2
    NONE_NEEDED = 3
