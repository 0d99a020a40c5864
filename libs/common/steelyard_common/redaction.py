"""Keeps secrets and prompts out of log lines."""

import re
from typing import Any

REDACTED = "[redacted]"
MAX_TEXT_CHARACTERS = 4096
MAX_DEPTH = 6
MAX_INTEGER = 2**53  # JSON readers have no larger ones

_SECRET_NAMES = frozenset(
    {
        "api_key", "apikey", "x_api_key", "x_goog_api_key", "authorization", "cookie", "set_cookie",
        "key", "master_key", "password", "passwd", "private_key", "secret", "token", "access_token",
        "refresh_token", "credential", "credentials", "database_url", "redis_url",
    }
)  # fmt: skip
_SECRET_SUFFIXES = ("_api_key", "_secret", "_password", "_token", "_credentials")
# What people and models say is not ours to keep.
_CONTENT_NAMES = frozenset({"prompt", "messages", "completion", "content", "body"})

_SECRET_TEXT = re.compile(
    r"""
      \b(?:sk|pk|rk|gsk|xai|hf|key)[-_][A-Za-z0-9_\-]{8,}          # keys of providers
    | \bsy_(?:live|test)_[A-Za-z0-9_]+                              # our own
    | \bAIza[A-Za-z0-9_\-]{20,}                                     # Google
    | \beyJ[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*        # JSON web tokens
    | (?<=bearer\ )[^\s"',;]+
    | (?<=basic\ )[A-Za-z0-9+/=]{8,}
    | (?:(?<=api[-_]key[=:])|(?<=apikey[=:])|(?<=[?&]key=)|(?<=token=)|(?<=password=))[^\s"'&,;]+
    | (?<=api[-_]key[=:]\ )[^\s"'&,;]+
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)                               # user:password@ in URLs
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redacted_text(text: str) -> str:
    """Return a text without anything that looks like a key, cut to a bearable length."""
    # Lone surrogates are in no encoding of the output.
    encodable = text.encode("utf-8", "backslashreplace").decode()
    clean = _SECRET_TEXT.sub(REDACTED, encodable)
    return clean if len(clean) <= MAX_TEXT_CHARACTERS else f"{clean[:MAX_TEXT_CHARACTERS]}…"


def redacted(name: str, value: Any, depth: int = 0) -> Any:
    """Return a value that is safe to log under `name`, made of plain types only."""
    if _is_private(name) or depth > MAX_DEPTH:
        return REDACTED
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else str(value)
    if isinstance(value, dict):
        return {
            redacted_text(str(key)): redacted(str(key), item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted("", item, depth + 1) for item in value]
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else redacted_text(str(value))


def _is_private(name: str) -> bool:
    plain = name.lower().replace("-", "_")
    return plain in _SECRET_NAMES or plain in _CONTENT_NAMES or plain.endswith(_SECRET_SUFFIXES)
